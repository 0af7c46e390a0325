"""What captions teach beyond names and places: colours, deeds, relations, and what can't be answered."""
