"""Files of weights: one tensor at a time, never executed."""
