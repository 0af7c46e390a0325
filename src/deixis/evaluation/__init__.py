"""Evaluation: tasks that are data, one runner for every system, and a report that states its own protocol."""
