"""What comes back: text with spans, places and scores; drawn, as JSON, or in the forms of other tools."""

from deixis.answers.drawing.drawn_answer import draw
from deixis.answers.export.results import to_coco_results, to_supervision
from deixis.answers.grounded import Answer, Place, Span, answer_schema

__all__ = ["Answer", "Span", "Place", "answer_schema", "draw", "to_coco_results", "to_supervision"]
