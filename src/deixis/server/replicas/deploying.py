"""Starting replicas and their entrance on Ray, on this machine or in a cluster that is running."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

from deixis.errors import UsageError
from deixis.extras import missing_package
from deixis.server.replicas.replica import Replica, Served

NAME = "deixis"
ROUTER = "deixis.server.replicas.picture_router:PictureRouter"
ENTRANCE_REQUESTS = 10_000  # replicas bound what is taken, with a reason


@dataclass(frozen=True)
class RayOptions:
    """How many replicas there are, and what each may use; UsageError for what can't be.

    replicas: at least so many. most_replicas: the number grows up to this under load; None keeps it.
    target_requests: so many requests a replica are aimed at while it may grow. requests: that a replica has
    open at a time. cpus, gpus: of each; a share of a GPU lets replicas share it.
    """

    replicas: int = 1
    most_replicas: int | None = None
    target_requests: int = 8
    requests: int = 256
    cpus: float = 1.0
    gpus: float = 0.0

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if value is None:
                continue
            least = 0 if one.name in ("cpus", "gpus") else 1
            if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= 10_000:
                raise UsageError(f"{one.name} is {value!r:.40}; expected a number from {least} to 10,000")
        if self.most_replicas is not None and self.most_replicas < self.replicas:
            raise UsageError(f"at most {self.most_replicas} replicas are fewer than {self.replicas}")

    @property
    def scaling(self) -> dict[str, Any]:
        """What Ray is told about the number of replicas."""
        if self.most_replicas is None:
            return {"num_replicas": self.replicas}
        return {
            "autoscaling_config": {
                "min_replicas": self.replicas,
                "max_replicas": self.most_replicas,
                "target_ongoing_requests": self.target_requests,
            }
        }


@contextmanager
def deployed(
    build: Callable[[], Served],
    options: RayOptions,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    body_bytes: int = 32 << 20,
    router: str | None = ROUTER,
) -> Iterator[None]:
    """Serve an application on replicas until the block is left; all are ready when it begins.

    build: makes the application in a replica; it is sent there by its name and what it holds. router: None
    for Ray's own choice, the shortest queue of two. The cluster is the one that RAY_ADDRESS names, or one of
    this machine's own. UsageError: Ray isn't installed, or the port is taken.
    """
    serve = import_serve()
    import ray

    own = not ray.is_initialized()
    if own:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else it reports to its makers
        logging.getLogger("ray.serve").setLevel(logging.ERROR)
        local: dict[str, Any] = {} if os.environ.get("RAY_ADDRESS") else {"include_dashboard": False}
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **local)
    try:
        serve.start(http_options={"host": host, "port": port})
        serve.run(application(serve, build, options, body_bytes, router), name=NAME, route_prefix="/")
        yield
    finally:
        serve.shutdown()
        if own:
            ray.shutdown()


def application(
    serve: Any, build: Callable[[], Served], options: RayOptions, body_bytes: int, router: str | None
) -> Any:
    """Return the deployments, bound to each other."""
    from ray.serve.config import RequestRouterConfig

    from deixis.server.replicas.entrance import Entrance

    chosen: dict[str, Any] = {}
    if router is not None:
        chosen["request_router_config"] = RequestRouterConfig(request_router_class=router)
    replicas = serve.deployment(Replica, name="replica").options(
        max_ongoing_requests=options.requests,
        ray_actor_options={"num_cpus": options.cpus, "num_gpus": options.gpus},
        health_check_period_s=2,
        health_check_timeout_s=10,
        graceful_shutdown_timeout_s=10,
        **options.scaling,
        **chosen,
    )
    entrance = serve.deployment(Entrance, name="entrance").options(
        max_ongoing_requests=ENTRANCE_REQUESTS, ray_actor_options={"num_cpus": 0}
    )
    return entrance.bind(replicas.bind(build), body_bytes=body_bytes)


def import_serve() -> Any:
    """Return ``ray.serve``; MissingPackage names the extra that brings it."""
    try:
        from ray import serve
    except ModuleNotFoundError as fault:
        raise missing_package(fault) or fault from fault
    return serve
