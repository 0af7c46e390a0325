"""Studies: one recipe in several variants, trained and measured side by side, as a table and a plot."""
