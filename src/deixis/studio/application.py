"""The studio as an application: the server with the page and its routes."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from deixis.server.application import create_app
from deixis.serving.engine import Engine
from deixis.studio.pages import OPEN_PATHS, add_pages
from deixis.studio.routes import studio_routes


def create_studio(engine: Engine, **given: Any) -> FastAPI:
    """Return the server's application with the studio at /studio/; given: as for ``create_app``."""
    app = create_app(engine, routers=[studio_routes()], open_paths=OPEN_PATHS, **given)
    add_pages(app)
    return app
