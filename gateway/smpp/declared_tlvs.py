"""TLVs that no specification knows and one carrier does: their declared form, and which of them travel.

Source: SMPP v3.4 3.2.4, 5.3.2 (tags 0x1400 to 0x3FFF are a vendor's; v5.0 4.8.1), 3.1 (integer, C-octet string, octet
string). Standard TLVs need no declaration: the field table knows them.
What must not enter: configuration files, messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import msgspec

from gateway.smpp.fields import TLVS
from gateway.smpp.pdus import SubmitSm

FORM: Final = r"^(octets|integer|cstring) [0-9]{1,5}(-[0-9]{1,5})?$"
TAG: Final = r"^0x(?!0+$)[0-9A-Fa-f]{1,4}$"
INTEGER_OCTETS: Final = frozenset((1, 2, 4))  # v3.4 3.1

Fault: TypeAlias = Literal["length", "value"]
Tlvs: TypeAlias = tuple[tuple[int, bytes], ...]


class BadDeclaration(ValueError):
    """A declaration that declares nothing. word: which fault, as configuration's words call it."""

    def __init__(self, word: Literal["tlv_standard", "tlv_span"], tag: str, name: str) -> None:
        super().__init__(f"{word}: {tag} {name}")
        self.word = word
        self.facts = {"tag": tag, "name": name}


class DeclaredTlv(msgspec.Struct, frozen=True):
    """The form of one TLV's value: its kind and, in octets (the NUL of a cstring included), how long it may be."""

    kind: Literal["octets", "integer", "cstring"]
    min_octets: int
    max_octets: int

    def fault(self, value: bytes) -> Fault | None:
        """What is wrong with a value."""
        if not self.min_octets <= len(value) <= self.max_octets:
            return "length"
        if self.kind == "integer" and len(value) not in INTEGER_OCTETS:
            return "length"
        if self.kind == "cstring" and value.find(0) != len(value) - 1:
            return "value"
        return None


Declared: TypeAlias = Mapping[int, DeclaredTlv]


def parse_declared(words: Mapping[str, str]) -> dict[int, DeclaredTlv]:
    """What a configuration declares, tags like TAG = forms like FORM. Raises BadDeclaration."""
    declared = {}
    for tag, form in words.items():
        kind, _, span = form.partition(" ")
        shortest, _, longest = span.partition("-")
        made = DeclaredTlv(kind, int(shortest), int(longest or shortest))  # type: ignore[arg-type]  # FORM says it
        if made.min_octets > made.max_octets or (made.max_octets == 0 and kind != "octets"):
            raise BadDeclaration("tlv_span", tag, form)
        standard = TLVS.get(int(tag, 16))
        if standard is not None:
            raise BadDeclaration("tlv_standard", tag, standard.name)
        declared[int(tag, 16)] = made
    return declared


def fault_of(tlvs: Tlvs, declared: Declared) -> Fault | None:
    """The first fault of a declared TLV; what is not declared has none, and does not travel."""
    for tag, value in tlvs:
        form = declared.get(tag)
        fault = form.fault(value) if form is not None else None
        if fault is not None:
            return fault
    return None


def passed_on(tlvs: Tlvs, declared: Declared) -> Tlvs:
    """What may travel in a submit_sm: standard TLVs of it, and declared ones of the declared form."""
    return tuple(each for each in tlvs if _travels(*each, declared))


def _travels(tag: int, value: bytes, declared: Declared) -> bool:
    standard = TLVS.get(tag)
    if standard is not None:
        return SubmitSm in standard.on
    form = declared.get(tag)
    return form is not None and form.fault(value) is None
