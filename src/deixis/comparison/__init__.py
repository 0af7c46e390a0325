"""Two reports of the same protocol side by side: paired differences, and a page of where they differ."""
