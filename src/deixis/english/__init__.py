"""Small facts of English that questions, answers and scores need."""
