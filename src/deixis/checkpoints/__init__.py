"""Saved networks and published checkpoints: reading, converting, writing."""
