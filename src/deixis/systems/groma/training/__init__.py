"""How Groma learns to speak of places."""
