"""The studio: a page in the browser where one draws on pictures, asks about them, and corrects answers."""
