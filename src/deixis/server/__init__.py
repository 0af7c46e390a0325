"""The engine over HTTP: OpenAI's protocol, with regions in questions and places in answers."""
