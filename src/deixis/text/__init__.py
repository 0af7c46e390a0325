"""Dialogues as token ids: templates, prompts, where pictures and regions go, what is learnt."""
