"""Places from Florence-2's own decoder, which answering in words never needs."""
