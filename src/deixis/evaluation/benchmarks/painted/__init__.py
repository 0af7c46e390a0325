"""Benchmarks whose questions are about marks painted on pictures."""
