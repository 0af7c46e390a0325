"""Routing by picture: questions about one picture go to the replica that has encoded it."""

from __future__ import annotations

from typing import Any

from ray.serve.request_router import PendingRequest, RequestRouter, RunningReplica

from deixis.server.replicas.picture_key import rank_of


class PictureRouter(RequestRouter):
    """Ranks replicas by the key that is a request's first argument; the next one is tried where one is full.

    Requests without a key go to whichever of all replicas has the shortest queue.
    """

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> list[list[RunningReplica]]:
        """Return the replicas, those to be tried first in front."""
        arguments: Any = () if pending_request is None else pending_request.args
        key = arguments[0] if arguments and isinstance(arguments[0], str) else ""
        if not key:
            return [list(candidate_replicas)]
        ranked = sorted(
            candidate_replicas, key=lambda one: rank_of(key, one.replica_id.unique_id), reverse=True
        )
        return [[one] for one in ranked]
