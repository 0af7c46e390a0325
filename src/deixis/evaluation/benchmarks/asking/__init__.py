"""A system asked the questions of a benchmark, its replies kept in a file."""
