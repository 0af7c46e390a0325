"""Language models: their settings by family, their cache, a small Llama body of our own."""
