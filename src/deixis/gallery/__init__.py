"""The gallery: a page of photos of a pack, drawn at random, with what a system answered about them."""
