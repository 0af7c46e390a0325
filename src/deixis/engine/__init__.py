"""How answers are decoded: one loop for every system, over one store of keys and values."""
