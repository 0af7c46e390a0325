"""Regions as vectors: samplers, region encoders and what they are made of."""
