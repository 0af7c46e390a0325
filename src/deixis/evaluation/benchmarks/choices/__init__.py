"""Benchmarks whose answers are one of several choices."""
