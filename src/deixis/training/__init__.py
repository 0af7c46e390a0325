"""Training: a recipe says what is learnt, a system says how, one short loop does it, resumably."""
