"""A client of a server that ``deixis serve`` started: questions out, answers back; it imports no torch."""
