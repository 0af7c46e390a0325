"""Captions and dialogues about whole pictures, as published mixes have them: read, filtered, counted."""
