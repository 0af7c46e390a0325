"""Weights on disk: reading shards, deltas, published key names, and writing folders."""
