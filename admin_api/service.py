"""The rooms of a living API process, together; and the values that pass between the frame and the resources.

What belongs here: references, a request as resources see it (Call), what they give back (Answer).
What must not enter: behaviour; process.py joins, application.py serves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from aiohttp import web

from admin_api.cursors import Cursors
from admin_api.keys import Caller, Keys
from admin_api.languages import Language
from admin_api.listening import Listener
from admin_api.live_feeds import LiveFeeds
from admin_api.lookup_desk import LookupDesk
from admin_api.one_time_codes import OneTimeCodes
from admin_api.sessions import Cookie, Operator, Sessions
from admin_api.writer import Writer
from gateway.accept.fact_book import FactBook
from gateway.cluster.lease_keeper import LeaseKeeper
from gateway.cluster.reach import Reach
from gateway.daemon.configuration_schema import Configuration
from gateway.ingress.rates import Rates
from gateway.lifecycle import Lifecycle
from gateway.notices.tallies import NoticeTallies
from gateway.storage.database import NodeSeat
from gateway.storage.facts import FactRows
from gateway.storage.group_commit import AcceptStream, CommitLine, SettleStream
from gateway.storage.reader import Reader
from gateway.tallies import ANSWER_BUCKETS_S, Durations, Tallies
from gateway.webhooks.tallies import WebhookTallies

JSON_TYPE: Final = "application/json"


class Call(msgspec.Struct):
    """One request, proven and read. path: the gaps of the route's path, as text."""

    asked_by: Caller | Operator | None
    language: Language
    now_ms: int
    path: dict[str, str]
    query: Any = None
    body: Any = None
    octets: bytes = b""  # the body as it came
    route: str = ""  # its method and path, as the table writes them
    idempotency_key: str = ""
    request: web.Request | None = None  # of a route that takes a file or gives a stream
    address: str = ""  # where it came from
    agent: str = ""  # with what, as it says itself
    request_id: str = ""

    @property
    def caller(self) -> Caller:
        """The customer's key, of a route with a scope."""
        assert isinstance(self.asked_by, Caller)
        return self.asked_by

    @property
    def account_id(self) -> int:
        """Whose things it may see."""
        return self.caller.account.account_id

    @property
    def operator(self) -> Operator:
        """Who is signed in, of a route with a permission."""
        assert isinstance(self.asked_by, Operator)
        return self.asked_by


class Answer(msgspec.Struct):
    """What a resource answers. value None: no body. status 0: the route's."""

    value: Any = None
    status: int = 0
    headers: dict[str, str] = {}
    cookie: Cookie | None = None
    file: Path | None = None  # a CSV, in place of a value
    media_type: str = JSON_TYPE  # of a value that is octets
    stream: Callable[[web.Request, web.StreamResponse], Awaitable[None]] | None = None  # what writes it, piece by piece


class RequestTallies:
    """What the API counts of its requests, beside what the rooms below count."""

    def __init__(self) -> None:
        self.requests: defaultdict[tuple[str, str], int] = defaultdict(int)  # (route, status)
        self.latency: defaultdict[str, Durations] = defaultdict(lambda: Durations(ANSWER_BUCKETS_S))  # by route


@dataclass
class Service:
    """Everything an API process consists of. rows and book: the same facts, as read and laid out."""

    configuration: Configuration
    seat: NodeSeat
    reader: Reader
    line: CommitLine
    accepting: AcceptStream
    settling: SettleStream
    lifecycle: Lifecycle
    keeper: LeaseKeeper
    reach: Reach
    keys: Keys
    cursors: Cursors
    tallies: Tallies
    rates: Rates
    rows: FactRows
    lookups: LookupDesk
    writer: Writer
    sessions: Sessions
    listener: Listener
    codes: OneTimeCodes
    account_feeds: LiveFeeds
    console_feeds: LiveFeeds
    requests: RequestTallies = field(default_factory=RequestTallies)
    webhooks: WebhookTallies = field(default_factory=WebhookTallies)
    notices: NoticeTallies = field(default_factory=NoticeTallies)
    in_flight: set[tuple[int, str, str]] = field(default_factory=set)  # account, route, Idempotency-Key
    credit_waiting: dict[str, int] = field(default_factory=dict)  # what waits for people: credit_clock.py
    ready: bool = False
    open_requests: int = 0
    exports: int = 0  # that are being written

    @property
    def listeners(self) -> int:
        """Open streams."""
        return self.account_feeds.count + self.console_feeds.count

    @property
    def book(self) -> FactBook:
        """The facts in force."""
        return self.lifecycle.book
