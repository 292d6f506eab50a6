"""The facts of one instant, laid out for looking up: who may send what as whom, at which price, by which route.

What belongs here: compiling rows (storage.facts) into mappings, once per change of facts.
Pure, immutable: a node swaps the whole book. What must not enter: balances, which only the database knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from gateway.accept.inbound_table import InboundTable
from gateway.smpp.declared_tlvs import Declared, parse_declared
from gateway.storage.facts import AccountRow, EsmeRow, FactRows, InboundNumberRow, SenderNameRow
from router.number_ranges import Network, NumberRange, NumberRanges
from router.prefixes import PrefixMap
from router.route import Route
from router.table import RouteTable

DEFAULT_PART_PRICE_MICROS: Final = 1_000_000  # defaults.md, Credits: one part, one credit
ANY_PREFIX: Final = "*"


class FactBookFault(Exception):
    """Rows that contradict each other; the text lists each with its remedy."""


class FactBook:
    """Compiled facts. Attributes are read-only by agreement."""

    def __init__(self, rows: FactRows) -> None:
        self.accounts: Mapping[int, AccountRow] = {a.account_id: a for a in rows.accounts}
        self.esmes: Mapping[str, EsmeRow] = {e.system_id: e for e in rows.esmes}
        self.senders = frozenset((s.account_id, s.name.casefold()) for s in rows.sender_names)
        self.limited_senders: Mapping[tuple[int, str], SenderNameRow] = {  # of these, by countries or until a time
            (s.account_id, s.name.casefold()): s for s in rows.sender_names if s.in_countries or s.until_ms
        }
        self.connector_names: Mapping[int, str] = {c.connector_id: c.name for c in rows.connectors}
        self.connector_ids: Mapping[str, int] = {c.name: c.connector_id for c in rows.connectors}
        self.numeric_only = frozenset(c.name for c in rows.connectors if not c.alphanumeric_senders)
        self.taken_out = frozenset(c.name for c in rows.connectors if c.wish != "run")  # routes pass them by
        self.stopped = frozenset(c.connector_id for c in rows.connectors if c.wish == "stop")
        self.declared_tlvs = self._declared_tlvs(rows)  # by connector id, those that other nodes configure among them
        self.inbound_numbers: Mapping[str, InboundNumberRow] = {n.address: n for n in rows.inbound_numbers}
        self.inbound = InboundTable(rows.inbound_routes)
        self.told_events: Mapping[int, frozenset[str]] = {t.account_id: frozenset(t.events) for t in rows.told_events}
        self.refused_senders = self._refused_senders(rows)  # by sender: connectors that are not asked for it
        self.sender_connectors = self._sender_connectors(rows)  # by account and sender: those it is not approved over
        self.routes = self._routes(rows)
        self.networks = self._networks(rows)
        self._prices = self._price_maps(rows)
        self._blocks: PrefixMap[frozenset[int | None]] | None = self._block_map(rows)

    @staticmethod
    def _declared_tlvs(rows: FactRows) -> Mapping[int, Declared]:
        try:
            told = {c.connector_id: msgspec.json.decode(c.tlvs, type=dict[str, str]) for c in rows.connectors}
            return {connector_id: parse_declared(tlvs) for connector_id, tlvs in told.items() if tlvs}
        except (ValueError, msgspec.MsgspecError) as fault:
            raise FactBookFault(f"connectors.tlvs: {fault}") from fault

    def _refused_senders(self, rows: FactRows) -> Mapping[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for row in rows.refused_senders:
            found[row.sender] = found.get(row.sender, frozenset()) | {self.connector_names[row.connector_id]}
        return found

    def _sender_connectors(self, rows: FactRows) -> Mapping[tuple[int, str], frozenset[str]]:
        names = self.connector_names
        return {
            (s.account_id, s.name.casefold()): frozenset(names[c] for c in names if c not in s.by_connectors)
            for s in rows.sender_names
            if s.by_connectors
        }

    def _routes(self, rows: FactRows) -> RouteTable:
        routes = [
            Route(
                route_id=r.route_id,
                order=r.order,
                match=r.match,
                connector=self.connector_names[r.connector_id],
                account_id=r.account_id,
                sender=r.sender,
                traffic_class=r.traffic_class,
                window=r.window,
                weight=r.weight,
                enabled=r.enabled,
            )
            for r in rows.routes
        ]
        table = RouteTable.compile(routes, list(self.connector_ids))
        if isinstance(table, list):
            raise FactBookFault("; ".join(f"route {f.route_id}: {f.fault} ({f.remedy})" for f in table))
        return table

    def _networks(self, rows: FactRows) -> NumberRanges | None:
        if not rows.number_ranges:
            return None
        ranges = NumberRanges.compile(
            [NumberRange(r.prefix, Network(r.mcc, r.mnc, r.operator)) for r in rows.number_ranges]
        )
        if isinstance(ranges, list):
            raise FactBookFault("; ".join(f"number range {f}" for f in ranges))
        return ranges

    @staticmethod
    def _price_maps(rows: FactRows) -> dict[int | None, tuple[PrefixMap[int], int | None]]:
        by_account: dict[int | None, dict[str, int]] = {}
        for rate in rows.rates:
            by_account.setdefault(rate.account_id, {})[rate.prefix] = rate.price_micros
        return {
            account: (
                PrefixMap({p: price for p, price in prices.items() if p != ANY_PREFIX}),
                prices.get(ANY_PREFIX),
            )
            for account, prices in by_account.items()
        }

    @staticmethod
    def _block_map(rows: FactRows) -> PrefixMap[frozenset[int | None]] | None:
        found: dict[str, frozenset[int | None]] = {}
        for block in rows.blocks:
            found[block.prefix] = found.get(block.prefix, frozenset()) | {block.account_id}
        spread = _with_shorter_blocks(found)
        return PrefixMap(spread) if spread else None

    def price_micros(self, account_id: int, destination: str) -> int:
        """The price of one part: the account's own rate first, then everybody's, then one credit."""
        for account in (account_id, None):
            found = self._prices.get(account)
            if found is not None:
                price = found[0].longest(destination)
                if price is None:
                    price = found[1]
                if price is not None:
                    return price
        return DEFAULT_PART_PRICE_MICROS

    def is_blocked(self, account_id: int, destination: str) -> bool:
        """Whether a legal block forbids this destination to this account."""
        if self._blocks is None:
            return False
        who = self._blocks.longest(destination)
        return who is not None and (None in who or account_id in who)


def _with_shorter_blocks(found: dict[str, frozenset[int | None]]) -> dict[str, frozenset[int | None]]:
    """Each prefix with everybody it binds: a longer block must not hide a shorter one that binds somebody else."""
    spread: dict[str, frozenset[int | None]] = {}
    for prefix in sorted(found, key=len):
        who = found[prefix]
        for length in range(len(prefix) - 1, 0, -1):
            inherited = spread.get(prefix[:length])
            if inherited is not None:
                who = who | inherited
                break
        spread[prefix] = who
    return spread
