"""How a system of the family learns."""
