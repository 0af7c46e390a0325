"""The data of Groma's three stages: detection, alignment, instruction tuning (arXiv 2404.13013)."""
