"""Places from feature maps: the place map, its candidates, and their refinement."""
