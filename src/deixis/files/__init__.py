"""Files read with care: strict JSON, bounded in size."""
