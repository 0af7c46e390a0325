"""A model behind any OpenAI-compatible endpoint, asked as a system is: regions as parts or in words."""
