"""What the papers of the systems here claim, as data: one file for each paper."""
