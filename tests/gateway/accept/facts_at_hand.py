"""Rows of facts for tests of the rules: two accounts, a name, rates, blocks, one route; each can be replaced.

What must not enter: what a test is about.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.message import Envelope, Submission
from gateway.storage.facts import (
    AccountRow,
    BlockRow,
    ConnectorRow,
    EsmeRow,
    FactRows,
    RateRow,
    RouteRow,
    SenderNameRow,
)

NOW_MS = 1_790_000_000_000
OURS, THEIRS = 1, 2
HANDSET = "33612345678"

ROWS = FactRows(
    accounts=[
        AccountRow(OURS, "ours", "active", 0, 0, None, False),
        AccountRow(THEIRS, "theirs", "active", 0, 0, "FR", False),
    ],
    esmes=[EsmeRow(1, "ours1", OURS, "no hash", "active", 10, 100, 0, [], "transactional", False)],
    sender_names=[SenderNameRow(OURS, "ACME")],
    connectors=[ConnectorRow(1, "carrier-a", "smpp")],
    routes=[RouteRow(1, 100, "*", None, None, None, None, None, [], 1, 1, True)],
    rates=[],
    number_ranges=[],
    blocks=[],
    inbound_numbers=[],
)


def rows(**replaced: Any) -> FactRows:
    """The rows above, some lists replaced."""
    return msgspec.structs.replace(ROWS, **replaced)


def submission(account_id: int = OURS, ton: int = 0, registered_delivery: int = 1, **given: Any) -> Submission:
    """A good submission of one short text, some fields replaced."""
    esm_class = given.pop("esm_class", 0)
    fields: dict[str, Any] = {
        "account_id": account_id,
        "esme_id": 1,
        "traffic_class": "transactional",
        "source_addr": "12345",
        "destination_addr": HANDSET,
        "data_coding": 0,
        "user_data": b"hello",
        "envelope": Envelope(
            source_addr_ton=ton, dest_addr_ton=1, esm_class=esm_class, registered_delivery=registered_delivery
        ),
    }
    return Submission(**{**fields, **given})


def block(prefix: str, account_id: int | None) -> BlockRow:
    """A legal block of one prefix."""
    return BlockRow(0, account_id, prefix, "opt_out", "asked")


def rate(prefix: str, price_micros: int, account_id: int | None = None) -> RateRow:
    """A rate in force."""
    return RateRow(0, account_id, prefix, price_micros)
