"""Answers held to sound boxes: what may stand in a bracket, and which tokens keep to it."""
