"""Many people asking several models: one engine that queues, prepares, decodes and reports; no HTTP."""
