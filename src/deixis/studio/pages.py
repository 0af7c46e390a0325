"""The page's own files, with headers that let a browser run nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI
from fastapi.responses import FileResponse, RedirectResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

HOME = "/studio/"
STATIC = "/studio/static"
OPEN_PATHS = ("/", HOME, f"{STATIC}/")  # need no key: there is nothing in them
# Nothing inline, nothing from elsewhere; pictures that the page itself made or was given are blobs.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }
)


class GuardedFiles(StaticFiles):
    """Files of a folder, each sent with the headers."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file."""
        reply = await super().get_response(path, scope)
        reply.headers.update(HEADERS)
        return reply


def add_pages(app: FastAPI) -> None:
    """Let an application show the studio at /studio/, and lead there from its root."""
    folder = str(resources.files("deixis.studio") / "static")

    async def root() -> Response:
        return RedirectResponse(HOME)

    async def home() -> Response:
        page = FileResponse(f"{folder}/index.html", media_type="text/html; charset=utf-8")
        page.headers.update(HEADERS)
        return page

    for path, answer in (("/", root), ("/studio", root), (HOME, home)):
        app.add_api_route(path, answer, include_in_schema=False)
    files: Any = GuardedFiles(directory=folder)
    app.mount(STATIC, files, name="studio")
