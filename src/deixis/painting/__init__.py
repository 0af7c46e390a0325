"""Visual prompts: regions painted on the picture, and the words that name what was painted."""
