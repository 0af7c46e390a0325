"""Readers of large collections of boxes without captions: Open Images, V3Det and SA-1B.

With COCO and Objects365 they are what Groma's proposer was trained on (Ma et al., 2024, section 12.1).
"""
