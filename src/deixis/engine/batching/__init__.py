"""What a running batch is made of: its requests, their rows, what is read next, what memory it may take."""
