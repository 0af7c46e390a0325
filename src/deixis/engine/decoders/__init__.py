"""The decoders that the loop runs: of the library and our own, and how they attend to many rows."""
