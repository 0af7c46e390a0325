"""Answers in the forms of other tools: COCO, YOLO, Label Studio, the supervision package."""
