"""How one answer of the pointer system is decoded and read: words, phrases, places, verdicts."""
