"""Text that a system wrote, read as words, phrases and places."""
