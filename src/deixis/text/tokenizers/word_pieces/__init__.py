"""Word pieces of our own: a vocabulary, what it cannot spell, and the way back to English."""
