"""From text to ids and back, as the published systems had it."""
