"""What the server and its engine tell Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client import Histogram as Observed
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from deixis.serving.statistics import Histogram, Statistics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
# What each counter of ``WorkDone`` is called, and says.
WORK = {
    "tokens_read": "Positions of prompts that were read",
    "tokens_reused": "Positions of prompts that were known from earlier ones",
    "tokens_written": "Tokens of answers",
    "pictures_encoded": "Pictures that were asked about and encoded",
    "pictures_known": "Pictures that were asked about and remembered",
    "prefixes_found": "Prompts whose beginning was known",
    "prefixes_missed": "Prompts whose beginning was not known",
}


class HTTPMeter:
    """Counts requests by their route, method and status, and how long they took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "deixis_http_requests", "Requests that are over", ("method", "path", "status"), registry=registry
        )
        self._seconds = Observed(
            "deixis_http_request_seconds",
            "How long requests took",
            ("method", "path"),
            buckets=SECONDS,
            registry=registry,
        )

    def add(self, *, method: str, path: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(method, path, str(status)).inc()
        self._seconds.labels(method, path).observe(seconds)


class EngineCollector(Collector):
    """The engine's own statistics, asked for whenever somebody looks."""

    def __init__(self, statistics: Callable[[], Statistics], alive: Callable[[], bool]) -> None:
        self._statistics, self._alive = statistics, alive

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics of the engine."""
        now = self._statistics()
        yield gauge("alive", "1 while questions are answered, else 0", float(self._alive()))
        ended = CounterMetricFamily("deixis_questions", "Questions by how they ended", labels=["outcome"])
        for outcome in ("answered", "cancelled", "late", "failed"):
            ended.add_metric([outcome], now.ended.get(outcome, 0))
        ended.add_metric(["refused"], now.refused)
        yield ended
        stages = GaugeMetricFamily("deixis_open_questions", "Questions now, by stage", labels=["stage"])
        for stage, count in now.open.items():
            stages.add_metric([stage], count)
        yield stages
        yield gauge("queue_length", "Questions that wait", now.queue_length)
        for name, count in asdict(now.work).items():
            yield CounterMetricFamily(f"deixis_{name}", WORK.get(name, name), value=count)
        held = GaugeMetricFamily("deixis_held_bytes", "Memory in use now", labels=["what"])
        for what, count in asdict(now.held).items():
            held.add_metric([what], count)
        yield held
        yield gauge("models_loaded", "Models in memory", now.models_loaded)
        for name, said in (
            ("loads", "Times a model was loaded"),
            ("drops", "Times a model made room for another one"),
            ("deaths", "Times a model failed"),
        ):
            yield CounterMetricFamily(f"deixis_model_{name}", said, value=getattr(now, name))
        yield histogram(
            "first_token_seconds", "From a question's arrival to its first token", now.first_token
        )
        yield histogram("token_seconds", "Between two tokens of an answer", now.token)


def gauge(name: str, said: str, value: float) -> Metric:
    """Return one number of now."""
    return GaugeMetricFamily(f"deixis_{name}", said, value=value)


def histogram(name: str, said: str, counted: Histogram) -> Metric:
    """Return a histogram as Prometheus has it: of up to each bound, all smaller ones included."""
    buckets, below = [], 0
    for bound, count in zip((*map(str, counted.bounds), "+Inf"), counted.counts, strict=True):
        below += count
        buckets.append((bound, below))
    return HistogramMetricFamily(f"deixis_{name}", said, buckets=buckets, sum_value=counted.total)


def exposition(registry: CollectorRegistry) -> bytes:
    """Return all metrics as Prometheus reads them."""
    return generate_latest(registry)
