"""Recipes: everything a training run is, in one yaml file."""
