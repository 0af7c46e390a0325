"""Dialogues about regions that are painted on the picture: ViP-LLaVA's region instructions."""
