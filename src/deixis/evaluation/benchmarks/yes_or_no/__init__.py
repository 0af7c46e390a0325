"""Benchmarks whose answers are yes or no."""
