"""What every request passes before a route sees it: who asks, by which name, and whether there is room."""
