"""Speed and memory, side by side: ``python -m bench`` runs the benchmarks of one explicit table.

Every side runs in a fresh process and gets the same input; what the sides computed is compared before any
time is printed.
"""
