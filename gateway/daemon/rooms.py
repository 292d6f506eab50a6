"""The rooms of a living node, together: what the clock's jobs and the metrics page look at.

What belongs here: references, nothing computed (architecture, section 2: the daemon builds, the rooms act).
What must not enter: behaviour; node.py joins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg

from gateway.by_the_clock import ByTheClock
from gateway.cluster.bind_shares import BindShares
from gateway.cluster.forwarding import Forwarding
from gateway.cluster.hand_over import HandOver
from gateway.cluster.lease_keeper import LeaseKeeper
from gateway.cluster.reach import Reach
from gateway.cluster.takeover import Takeover
from gateway.connector import Health
from gateway.daemon.configuration_schema import Configuration
from gateway.egress.smpp_connector import SmppConnector
from gateway.ingress.smpp_server import SmppServer
from gateway.lease import Lease
from gateway.lifecycle import Lifecycle
from gateway.notify.esme_deliveries import EsmeDeliveries
from gateway.recall import Recall
from gateway.recovery import Recovery
from gateway.refill import Refill
from gateway.rerouting import Rerouting
from gateway.storage.database import NodeSeat
from gateway.storage.group_commit import AcceptStream, SettleStream
from gateway.storage.reader import Reader
from gateway.tallies import Tallies

if TYPE_CHECKING:  # a node without [redis] imports no client
    from gateway.counters.redis_link import RedisLink


@dataclass
class Rooms:
    """Everything a node consists of. server is set once the doors are built, ready once they are open."""

    configuration: Configuration
    seat: NodeSeat
    dsn: str
    seat_connection: asyncpg.Connection
    reader: Reader
    accepting: AcceptStream
    settling: SettleStream
    connectors: list[SmppConnector]
    health: dict[str, Health]
    deliveries: EsmeDeliveries
    lifecycle: Lifecycle
    by_the_clock: ByTheClock
    recovery: Recovery
    recall: Recall
    refill: Refill
    tallies: Tallies
    lease: Lease
    keeper: LeaseKeeper
    takeover: Takeover
    forwarding: Forwarding
    reach: Reach
    bind_shares: BindShares
    hand_over: HandOver
    rerouting: Rerouting
    server: SmppServer | None = None
    redis: RedisLink | None = None
    ready: bool = False
    swept_until_ms: int = 0
    ledger_imbalance_micros: int = 0
