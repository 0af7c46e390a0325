"""Systems of the family whose regions are painted on the picture, and named by their marks."""
