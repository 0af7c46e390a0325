"""The page's own files, and the headers that let a browser run nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from starlette.staticfiles import StaticFiles

HOME = "/studio/"
STATIC = "/studio/static"
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


def add_pages(app: FastAPI) -> None:
    """Let an application show the studio at /studio/, and lead there from its root."""
    folder = resources.files("deixis.studio") / "static"
    page = str(folder / "index.html")

    @app.middleware("http")
    async def guarded(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        reply = await answer(request)
        if request.url.path.startswith("/studio"):
            reply.headers.update(HEADERS)
        return reply

    @app.get("/", include_in_schema=False)
    async def root() -> Response:
        return RedirectResponse(HOME)

    @app.get(HOME, include_in_schema=False)
    async def home() -> Response:
        return FileResponse(page, media_type="text/html; charset=utf-8")

    static: Any = StaticFiles(directory=str(folder))
    app.mount(STATIC, static, name="studio")
