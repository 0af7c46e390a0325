"""The part of Groma that finds places: a model of its own, which the whole one starts from."""
