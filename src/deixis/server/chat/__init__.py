"""Chat completions: messages become a question to the engine, its answer becomes a reply or a stream."""
