"""Dialogues written from scenes, in plain English: one writer a kind."""
