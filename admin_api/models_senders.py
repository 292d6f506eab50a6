"""Sender names as customers ask for them and read them.

Words and limits here are the API's: OpenAPI is made from these types. Which connectors a name is approved over is not
a customer's to know.
What must not enter: what may follow what (gateway.sender_states), rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
from msgspec import Meta, field

from admin_api.languages import Words
from admin_api.models_messages import Limit, Text, TrafficClass
from admin_api.models_webhooks import Cursor
from admin_api.problems import Fault
from admin_api.reading import NUL
from gateway.accept.sender_form import SenderFault, fault_of_sender
from gateway.sender_states import SenderState

MOST_COUNTRIES: Final = 60  # chosen: of one name; more of them are everywhere
PROOF_CHARACTERS: Final = 1_900_000  # chosen: of base64, within [admin_api] body_octets as it comes

Country = Annotated[str, Meta(pattern="^[A-Z]{2}$", description="ISO 3166 alpha-2.")]
Countries = Annotated[list[Country], Meta(max_length=MOST_COUNTRIES, description="Empty: everywhere.")]
Purpose = Annotated[str, Meta(min_length=1, max_length=500, description="Who writes to whom, about what.")]

FAULTS: Final[dict[SenderFault, Words]] = {
    "number": Words("write 3 to 15 digits, country code first", "écrivez 3 à 15 chiffres, indicatif en tête"),
    "reserved": Words("handsets answer with this word", "les mobiles répondent avec ce mot"),
    "name": Words(
        "write 1 to 11 characters of GSM 7-bit and ASCII, with a letter among them",
        "écrivez 1 à 11 caractères GSM 7 bits et ASCII, dont une lettre",
    ),
}


def nul_faults(model: msgspec.Struct, *names: str) -> Iterator[Fault]:
    """NUL has no place in a text of PostgreSQL."""
    for name in names:
        if "\0" in (getattr(model, name) or ""):
            yield Fault((name,), "nul", NUL)


class NewProof(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A paper: PDF, PNG or JPEG, in base64. Larger ones: POST /v1/sender-names/{id}/proofs."""

    file_name: Annotated[str, Meta(min_length=1, max_length=200)]
    content: Annotated[str, Meta(min_length=4, max_length=PROOF_CHARACTERS)]


class RequestSender(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A sender name to be approved. sample: a text as it would be sent."""

    name: Annotated[str, Meta(min_length=1, max_length=16)]
    countries: Countries = []
    traffic_class: TrafficClass | None = field(name="class", default=None)
    purpose: Purpose
    sample: Text
    proof: NewProof | None = None

    def more_faults(self) -> Iterator[Fault]:
        """What cannot be a sender, and what cannot be stored."""
        yield from nul_faults(self, "purpose", "sample")
        fault = fault_of_sender(self.name)
        if fault is not None:
            yield Fault(("name",), fault, FAULTS[fault])


class Proof(msgspec.Struct, kw_only=True):
    """A paper as it is kept. type: as its first octets say; sha256 in hexadecimal."""

    id: str
    file_name: str
    type: str
    octets: int
    sha256: str
    created_at: str


class SenderName(msgspec.Struct, kw_only=True):
    """A sender name as it stands. reason: of the last decision. approved_in: countries, empty where everywhere;
    approved_until null: without end.
    """

    id: str
    name: str
    state: SenderState
    countries: list[str]
    traffic_class: str | None = field(name="class")
    purpose: str
    sample: str
    reason: str
    approved_in: list[str]
    approved_until: str | None
    created_at: str
    decided_at: str | None
    proofs: list[Proof]


class ListSenders(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which sender names, newest first."""

    state: SenderState | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class SenderNames(msgspec.Struct):
    """A page. next_cursor null: the end."""

    sender_names: list[SenderName]
    next_cursor: str | None
