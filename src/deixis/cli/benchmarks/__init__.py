"""The part of `deixis evaluate` that asks published benchmarks."""
