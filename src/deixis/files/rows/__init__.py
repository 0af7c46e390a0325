"""Files of very many rows, read one row at a time: JSON lists, JSON lines, and tables of text."""
