"""Sender names, protected names, blocks and opt-outs as operators read and decide them.

Words and limits here are the API's: OpenAPI is made from these types.
What must not enter: what customers see (models_senders.py, models_opt_outs.py), rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from admin_api.models_messages import Limit, Time
from admin_api.models_senders import Countries, Country, Proof, nul_faults
from admin_api.models_webhooks import Cursor
from admin_api.problems import Fault
from gateway.sender_states import SenderState

AccountId = Annotated[str, Meta(pattern="^[1-9][0-9]{0,8}$", description="The number of an account.")]
Reason = Annotated[str, Meta(min_length=3, max_length=500, pattern=r"\S", description="Why; it stays in the history.")]
ConnectorName = Annotated[str, Meta(min_length=1, max_length=64)]
ProtectedKind = Literal["bank", "operator", "wallet", "authority", "other"]
Digits = Annotated[str, Meta(pattern=r"^\+?[1-9][0-9]{0,14}$", description="Digits from the country code on.")]


class Reasoned(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A decision and why. Of a sender name its customer reads it."""

    reason: Reason

    def more_faults(self) -> Iterator[Fault]:
        """NUL."""
        yield from nul_faults(self, "reason")


class ApproveSender(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """For these countries and over these connectors only (empty: all), until then (absent: without end). override: the
    name looks like a protected one, and the reason says why it may be used all the same.
    """

    countries: Countries = []
    connectors: Annotated[list[ConnectorName], Meta(max_length=50)] = []
    until: Time | None = None
    reason: Annotated[str, Meta(max_length=500)] = ""
    override: bool = False

    def more_faults(self) -> Iterator[Fault]:
        """NUL."""
        yield from nul_faults(self, "reason")


class ListReview(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which sender names, newest first. resembling: those that looked like a protected one alone."""

    state: SenderState | None = None
    account_id: AccountId | None = None
    resembling: bool = False
    cursor: Cursor | None = None
    limit: Limit = 50


class SenderEntry(msgspec.Struct, kw_only=True):
    """One entry of a sender name's history. despite: the protected name that an approval was given despite of."""

    at: str
    event: str
    state: SenderState
    asked_by: str
    reason: str
    countries: list[str]
    connectors: list[str]
    until: str | None
    despite: str


class ReviewedSender(msgspec.Struct, kw_only=True):
    """A sender name under review. resembles: the protected name that it looks like, empty for none."""

    id: str
    account_id: str
    account: str
    name: str
    state: SenderState
    resembles: str
    countries: list[str]
    traffic_class: str | None
    purpose: str
    sample: str
    reason: str
    approved_in: list[str]
    approved_over: list[str]
    approved_until: str | None
    created_at: str
    decided_at: str | None
    proofs: list[Proof]
    history: list[SenderEntry] | None = None


class ReviewedSenders(msgspec.Struct):
    """A page. next_cursor null: the end."""

    sender_names: list[ReviewedSender]
    next_cursor: str | None


class ProtectName(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A name that others must not imitate. whole_only: it is an ordinary word, which may stand among others."""

    name: Annotated[str, Meta(min_length=2, max_length=64, pattern=r"[\w]")]
    country: Country
    kind: ProtectedKind = "other"
    whole_only: bool = False
    source: Annotated[str, Meta(min_length=3, max_length=200, pattern=r"\S")]

    def more_faults(self) -> Iterator[Fault]:
        """NUL."""
        yield from nul_faults(self, "name", "source")


class ListProtected(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Of which country; absent: of all."""

    country: Country | None = None


class ProtectedNameShown(msgspec.Struct, kw_only=True):
    """A protected name."""

    id: str
    name: str
    country: str
    kind: str
    whole_only: bool
    source: str
    created_at: str


class ProtectedNames(msgspec.Struct):
    """All of them."""

    protected_names: list[ProtectedNameShown]


class AddBlock(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A destination, or all that begin so, that gets nothing from an account, or from anybody (account_id absent)."""

    prefix: Digits
    account_id: AccountId | None = None
    reason: Reason

    def more_faults(self) -> Iterator[Fault]:
        """NUL."""
        yield from nul_faults(self, "reason")


class ListBlocks(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which blocks, newest first. number: those that forbid it. removed: also those taken back."""

    account_id: AccountId | None = None
    number: Digits | None = None
    removed: bool = False
    cursor: Cursor | None = None
    limit: Limit = 50


class Block(msgspec.Struct, kw_only=True):
    """A block. kind opt_out: a person's own wish, written down before there were opt-outs. end: why it was removed."""

    id: str
    prefix: str
    kind: str
    account_id: str | None
    account: str | None
    reason: str
    created_at: str
    removed_at: str | None
    end: str | None


class Blocks(msgspec.Struct):
    """A page. next_cursor null: the end."""

    blocks: list[Block]
    next_cursor: str | None


class WriteOptOut(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a person said another way than by STOP. proof: how he said it, where it is kept."""

    account_id: AccountId
    number: Digits
    proof: Reason

    def more_faults(self) -> Iterator[Fault]:
        """NUL."""
        yield from nul_faults(self, "proof")


class ListOptOuts(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which opt-outs, newest first; opted_out false: those who came back."""

    account_id: AccountId | None = None
    number: Digits | None = None
    opted_out: bool | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class OptOutShown(msgspec.Struct, kw_only=True):
    """A person's last word to an account. source: who wrote it down; proof: how he said so."""

    account_id: str
    account: str
    number: str
    opted_out: bool
    source: Literal["handset", "customer", "operator"]
    word: str
    proof: str
    at: str


class OptOutPage(msgspec.Struct):
    """A page. next_cursor null: the end."""

    opt_outs: list[OptOutShown]
    next_cursor: str | None
