"""The metrics page for Prometheus, and the two questions of supervisors: alive? ready?

Source: compatibility page, "Metrics": app prefix, seconds, `_total`; no number, text or id in a label.
Figures are read from the rooms at each scrape. What must not enter: counting (gateway.tallies).
"""

from __future__ import annotations

import asyncio
import http
import time
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from gateway.daemon.rooms import Rooms
from gateway.lanes import LANE_NAMES
from gateway.message import accepted_at_ms
from gateway.tallies import Durations

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class MetricsPage:
    """Serves /metrics, /healthz and /readyz."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._registry = CollectorRegistry()
        self._registry.register(_Collector(rooms))
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def listen(self) -> None:
        """Open the port. Raises OSError when it is taken."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/metrics", self._metrics),
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        listen = self._rooms.configuration.metrics.listen
        site = web.TCPSite(self._runner, listen.host, listen.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

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
        ready = self._rooms.ready and not self._rooms.settling.away
        status = http.HTTPStatus.OK if ready else http.HTTPStatus.SERVICE_UNAVAILABLE
        return web.Response(status=status, text="ready\n" if ready else "not ready\n")


class _Collector:
    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def collect(self) -> Iterable[Metric]:
        """All families, as the rooms stand now."""
        tallies = self._rooms.tallies
        info = GaugeMetricFamily("gw_build_info", "The version that runs", labels=["version"])
        info.add_metric([version("passerelle")], 1)
        yield info
        yield _counter("gw_messages", "Messages by direction and outcome", ["direction", "outcome"], tallies.messages)
        yield _counter("gw_message_parts", "Parts written to carriers", ["connector"], tallies.parts_submitted)
        yield _counter("gw_carrier_answers", "Answers to submit_sm", ["connector", "outcome"], tallies.carrier_answers)
        yield _counter("gw_receipts", "Receipts from carriers", ["connector", "outcome"], tallies.receipts)
        yield _counter(
            "gw_receipt_errors", "Receipts with an error code", ["connector", "kind"], tallies.receipt_errors
        )
        yield _counter("gw_receipt_dress_changes", "Ids that came in a new dress", ["connector"], tallies.dress_changes)
        yield _counter(
            "gw_notifications", "Receipts and inbound messages told to ESMEs", ["outcome"], tallies.notifications
        )
        yield _counter("gw_refused_pdus", "PDUs refused", ["side", "status"], tallies.refused_pdus)
        yield _counter(
            "gw_refused_connections", "Connections of ESMEs closed at once", ["limit"], tallies.refused_connections
        )
        yield _counter("gw_tls_handshakes", "TLS handshakes of ESMEs", ["outcome"], tallies.tls_handshakes)
        yield _histogram("gw_accept_latency_seconds", "submit_sm read until durable", [], {(): tallies.accept_latency})
        yield _histogram(
            "gw_submit_latency_seconds",
            "submit_sm to its answer, at the carrier",
            ["connector"],
            tallies.submit_latency,
        )
        yield _histogram(
            "gw_dlr_latency_seconds", "Taken by the carrier until final", ["connector"], tallies.receipt_latency
        )
        yield _histogram("gw_event_loop_lag_seconds", "How late the loop is", [], {(): tallies.loop_lag})
        yield from self._gauges()

    def _gauges(self) -> Iterable[Metric]:
        rooms = self._rooms
        depth = GaugeMetricFamily("gw_queue_depth", "Messages waiting in memory", labels=["queue", "lane"])
        oldest = GaugeMetricFamily("gw_queue_oldest_seconds", "Age of the oldest that waits", labels=["queue"])
        window = GaugeMetricFamily("gw_smpp_window_in_flight", "Requests without answer", labels=["connector"])
        sessions = GaugeMetricFamily("gw_smpp_sessions", "Bound sessions", labels=["role", "peer", "bind_type"])
        rate = GaugeMetricFamily("gw_carrier_rate", "Parts a second at most; 0: no limit", labels=["connector"])
        now_ms = time.time_ns() // 1_000_000
        for connector in rooms.connectors:
            rate.add_metric([connector.name], connector.rate.rate_per_s)
            outbox = rooms.lifecycle.outboxes[connector.connector_id]
            for name, lane in zip(LANE_NAMES, outbox.lanes, strict=True):
                depth.add_metric([connector.name, name], lane.queue.count)
            first = outbox.oldest_id()
            oldest.add_metric([connector.name], (now_ms - accepted_at_ms(first)) / 1000 if first else 0)
            links = [link for link in connector.links if link.session is not None]
            window.add_metric([connector.name], sum(link.session.unanswered for link in links if link.session))
            for bind_type in {link.bind_type for link in connector.links}:
                bound = sum(1 for link in connector.links if link.bound and link.bind_type is bind_type)
                sessions.add_metric(["carrier", connector.name, bind_type], bound)
        for (name, kind), count in self._esme_sessions().items():
            sessions.add_metric(["esme", name, kind], count)
        depth.add_metric(["accept", ""], rooms.accepting.waiting)
        depth.add_metric(["settle", ""], rooms.settling.waiting)
        disabled = GaugeMetricFamily("gw_disabled_senders", "Senders a carrier refused", labels=["connector"])
        refused = [name for names in rooms.lifecycle.book.refused_senders.values() for name in names]
        for connector in rooms.connectors:
            disabled.add_metric([connector.name], refused.count(connector.name))
        yield disabled
        yield from (depth, oldest, window, sessions, rate)
        yield GaugeMetricFamily(
            "gw_ledger_imbalance",
            "Micro-credits by which balances and ledger differ: must be 0",
            rooms.ledger_imbalance_micros,
        )
        yield GaugeMetricFamily(
            "gw_rows_set_aside", "Rows that PostgreSQL refused since the start: must be 0", rooms.settling.set_aside
        )
        if rooms.server is not None:
            nodes = rooms.server.rates.sharing.nodes
            yield GaugeMetricFamily("gw_limits_shared_by", "Nodes that keep customers' limits together", nodes)
        if rooms.redis is not None:
            yield GaugeMetricFamily("gw_redis_away", "1 while Redis does not answer", float(rooms.redis.away))
            yield CounterMetricFamily("gw_redis_losses", "Times that Redis went away", rooms.redis.times_away)
        yield GaugeMetricFamily(
            "gw_database_away", "1 while PostgreSQL does not take our batches", float(rooms.settling.away)
        )

    def _esme_sessions(self) -> dict[tuple[str, str], int]:
        counts: dict[tuple[str, str], int] = {}
        if self._rooms.server is not None:
            for connection in self._rooms.server.connections:
                if connection.esme is not None and connection.session.bind_type is not None:
                    key = (connection.esme.system_id, str(connection.session.bind_type))
                    counts[key] = counts.get(key, 0) + 1
        return counts


def _counter(name: str, words: str, labels: list[str], counts: Mapping[Any, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, words, labels=labels)
    for key, count in counts.items():
        family.add_metric([key] if isinstance(key, str) else list(key), count)
    return family


def _histogram(name: str, words: str, labels: list[str], found: Mapping[Any, Durations]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, words, labels=labels)
    for key, durations in found.items():
        reached = 0
        buckets = []
        for bound, count in zip((*durations.bounds_s, float("inf")), durations.counts, strict=True):
            reached += count
            buckets.append(("+Inf" if bound == float("inf") else str(bound), reached))
        values = [key] if isinstance(key, str) else list(key)
        family.add_metric(values, buckets, durations.total_s)
    return family
