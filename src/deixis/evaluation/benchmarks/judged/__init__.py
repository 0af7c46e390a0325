"""Benchmarks whose answers a language model reads or rates."""
