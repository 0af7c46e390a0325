"""Published checkpoints to our folders, and back."""
