"""Benchmarks of what is said together with places: things located by name, regions described, captions whose
phrases point (Groma, section 4)."""
