"""How a detector of one class learns: predictions are matched with objects, picture by picture."""
