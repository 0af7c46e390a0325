"""A client of endpoints that speak OpenAI's chat protocol: of judges, and of teachers that write samples."""
