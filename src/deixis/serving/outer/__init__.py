"""An engine elsewhere that writes answers from vectors: vLLM's completions route with ``prompt_embeds``.

Pictures are encoded and questions embedded here; the language model's words come over HTTP and are read here.
"""
