"""What comes back: text with spans, places and scores."""

from deixis.answers.grounded import Answer, Place, Span, answer_schema

__all__ = ["Answer", "Span", "Place", "answer_schema"]
