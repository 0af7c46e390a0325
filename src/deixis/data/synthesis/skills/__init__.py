"""What captions tell beyond names and places: colours, what someone does, and what can't be told."""
