"""Training runs: recipes in, models out, and how well they do on what they never saw."""
