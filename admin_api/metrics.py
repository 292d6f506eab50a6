"""The API's own page for Prometheus, and the two questions of supervisors: alive? ready?

Source: compatibility page, "Metrics": app prefix, seconds, `_total`; no number, text, key or id in a label.
What must not enter: counting (service.RequestTallies, gateway.tallies).
"""

from __future__ import annotations

import asyncio
import http
from collections.abc import Iterable
from importlib.metadata import version

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from admin_api.service import Service

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class MetricsPage:
    """Serves /metrics, /healthz and /readyz, without authentication: keep it local."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._registry = CollectorRegistry()
        self._registry.register(_Collector(service))
        self._runner: web.AppRunner | None = None

    async def listen(self) -> None:
        """Open the port. Raises OSError when it is taken."""
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        listen = self._service.configuration.admin_api.metrics_listen
        await web.TCPSite(self._runner, listen.host, listen.port).start()

    async def close(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        await asyncio.sleep(0)  # messages first
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE})

    async def _healthz(self, request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _readyz(self, request: web.Request) -> web.Response:
        ready = self._service.ready
        status = http.HTTPStatus.OK if ready else http.HTTPStatus.SERVICE_UNAVAILABLE
        return web.Response(status=status, text="ready\n" if ready else "not ready\n")


class _Collector:
    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterable[Metric]:
        """All families, as the rooms stand now."""
        service = self._service
        info = GaugeMetricFamily("gw_build_info", "The version that runs", labels=["version"])
        info.add_metric([version("passerelle")], 1)
        yield info
        messages = CounterMetricFamily(
            "gw_messages", "Messages by direction and outcome", labels=["direction", "outcome"]
        )
        for words, count in service.tallies.messages.items():
            messages.add_metric(list(words), count)
        yield messages
        requests = CounterMetricFamily("gw_http_requests", "Requests by route and status", labels=["route", "status"])
        for names, count in service.requests.requests.items():
            requests.add_metric(list(names), count)
        yield requests
        latency = HistogramMetricFamily("gw_http_latency_seconds", "Request read to its answer", labels=["route"])
        for route, durations in service.requests.latency.items():
            reached, buckets = 0, []
            for bound, count in zip((*durations.bounds_s, "+Inf"), durations.counts, strict=True):
                reached += count
                buckets.append((str(bound), reached))
            latency.add_metric([route], buckets, durations.total_s)
        yield latency
        yield from service.webhooks.families()
        yield from service.notices.families()
        credit = GaugeMetricFamily(
            "gw_credit_waiting", "Orders, payments and moves that wait for people", labels=["what"]
        )
        for what, count in service.credit_waiting.items():
            credit.add_metric([what], count)
        yield credit
        yield GaugeMetricFamily("gw_http_requests_open", "Requests without answer yet", service.open_requests)
        room = service.listener.room
        yield GaugeMetricFamily("gw_http_connections", "Open connections, over all ports", room.count)
        yield CounterMetricFamily("gw_http_connections_refused", "Closed at once for want of room", room.refused)
        yield GaugeMetricFamily("gw_event_streams", "Listeners to events", service.listeners)
        ended = CounterMetricFamily("gw_event_streams_ended", "Ended streams by their cause", labels=["cause"])
        for cause, count in service.account_feeds.ended.items():
            ended.add_metric([cause], count)
        yield ended
        yield GaugeMetricFamily("gw_accept_waiting", "Messages that wait for their commit", service.accepting.waiting)
