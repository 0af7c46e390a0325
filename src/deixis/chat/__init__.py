"""A dialogue about one picture: what is remembered, what can be typed, and how it is kept."""
