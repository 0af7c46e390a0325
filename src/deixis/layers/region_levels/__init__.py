"""A vector for each box, from several levels of a vision encoder (Groma; Ma et al., 2024, section 3.1)."""
