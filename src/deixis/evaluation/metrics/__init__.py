"""What scores are made of: places against boxes, nouns against nouns, and how far a rate can be trusted."""
