"""How a pointer network learns."""
