"""One writer for each kind of dialogue about a scene."""
