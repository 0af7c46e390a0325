"""The gallery: a page of photos of a dataset, drawn at random, with what a system answered about them."""
