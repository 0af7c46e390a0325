"""Prompt templates of training questions: many ways to ask for the same thing."""
