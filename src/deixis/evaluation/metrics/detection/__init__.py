"""Precision and recall of boxes as detection benchmarks count them: COCO, LVIS, and recall with as many
boxes as there are."""
