"""Octets as the table writes them: hexadecimal, 'text', {word}, word*n; and PDUs put together from them.

SMPP v3.4 3.1, 3.2. No field is checked: what is wrong in the table must be wrong on the wire.
What must not enter: gateway.smpp, whose encoder would refuse to write most of it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping

HEADER = struct.Struct(">IIII")  # v3.4 3.2: command_length, command_id, command_status, sequence_number
HEADER_OCTETS = HEADER.size
_WORD = re.compile(
    r"\s*(?:'(?P<text>[^']*)'|\{(?P<name>\w+)\}|(?P<hex>(?:[0-9A-Fa-f]{2})+))(?:\*(?P<times>\d+))?(?:\s+|$)"
)


def octets_of(words: str, facts: Mapping[str, bytes]) -> bytes:
    """The octets that the words stand for. ValueError: a word of no such form, or a {name} without a fact."""
    made = bytearray()
    at = 0
    while at < len(words):
        found = _WORD.match(words, at)
        if found is None:
            raise ValueError(f"{words[at:]!r} is neither hexadecimal, 'text' nor a name in braces")
        name = found["name"]
        if name is not None and name not in facts:
            raise ValueError(f"nothing is known as {{{name}}}")
        if found["text"] is not None:
            word = found["text"].encode("ascii")
        else:
            word = facts[name] if name is not None else bytes.fromhex(found["hex"])
        made += word * int(found["times"] or 1)
        at = found.end()
    return bytes(made)


def frame(command_id: int, command_status: int, sequence_number: int, body: bytes) -> bytes:
    """One PDU with its true command_length."""
    return HEADER.pack(HEADER_OCTETS + len(body), command_id, command_status, sequence_number & 0xFFFFFFFF) + body
