"""What a run is at one step: weights, averages, random states."""
