"""Opt-outs as an account reads and writes its own.

Words and limits here are the API's: OpenAPI is made from these types.
What must not enter: operators' side (models_operator_senders.py), rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from admin_api.models_messages import Limit
from admin_api.models_senders import nul_faults
from admin_api.models_webhooks import Cursor
from admin_api.problems import Fault
from admin_api.reading import NUL
from telecom.numbers import NumberFault

MOST_NUMBERS: Final = 1000  # chosen: as recipients of one request; more come as a file

Written = Annotated[str, Meta(min_length=1, max_length=40)]
ProofText = Annotated[
    str, Meta(min_length=3, max_length=500, pattern=r"\S", description="How they said so, and where that is kept.")
]


class ListOwnOptOuts(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which, newest first. number: digits with country code."""

    number: Annotated[str, Meta(pattern=r"^\+?[0-9]{6,15}$")] | None = None
    cursor: Cursor | None = None
    limit: Limit = 100


class OptOut(msgspec.Struct):
    """Somebody who wants to hear no more. word: what he wrote; source: who wrote it down here."""

    number: str
    source: Literal["handset", "customer", "operator"]
    word: str
    proof: str
    at: str


class OptOuts(msgspec.Struct):
    """A page. next_cursor null: the end."""

    opt_outs: list[OptOut]
    next_cursor: str | None


class AddOptOuts(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """People who said another way than by STOP that they want to hear no more."""

    numbers: Annotated[list[Written], Meta(min_length=1, max_length=MOST_NUMBERS)]
    proof: ProofText

    def more_faults(self) -> Iterator[Fault]:
        """NUL."""
        yield from nul_faults(self, "proof")
        for place, each in enumerate(self.numbers):
            if "\0" in each:
                yield Fault(("numbers", place), "nul", NUL)


class AskImport(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The proof of all the numbers of a file."""

    proof: ProofText


class NotANumber(msgspec.Struct):
    """A line (or a place in the list, from 1) that is no number."""

    line: int
    given: str
    fault: NumberFault


class OptOutsAdded(msgspec.Struct):
    """known: they were here before, and stay as they are. faults: the first hundred."""

    added: int
    known: int
    invalid: int
    faults: list[NotANumber]
