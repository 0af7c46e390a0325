"""Answers rated by a language model behind an endpoint."""
