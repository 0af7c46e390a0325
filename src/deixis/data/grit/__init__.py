"""Referring and grounding dialogues on disk, in the format of Ferret's instruction data (GRIT), and what
makes them.

You et al., 2023 (arXiv 2310.07704) for records, tasks and negatives; Zhang et al., 2024 (arXiv 2404.07973)
for dense referring and detection. `docs/grit.md` says how to assemble the mix from public datasets.
"""
