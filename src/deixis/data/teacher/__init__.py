"""Dialogues about regions, written by a language model that sees the picture and what is known of it.

ViP-LLaVA's instructions by GPT-4V (vip_llava.md section 3.4), and the model-written parts of Ferret's data.
"""
