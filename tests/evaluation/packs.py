"""Where the packs that tests measure come from."""

from __future__ import annotations

from pathlib import Path

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "flickr_grounding"
