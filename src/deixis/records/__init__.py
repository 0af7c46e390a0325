"""Samples of a user's own: dialogues with regions and places, one JSON object a line."""
