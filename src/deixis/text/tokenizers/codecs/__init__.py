"""Ways in which texts become ids, each behind one contract."""
