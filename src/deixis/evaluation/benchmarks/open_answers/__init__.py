"""Benchmarks whose answers are a word, a phrase or a number."""
