"""When an answer is right: the rules that several benchmarks share."""
