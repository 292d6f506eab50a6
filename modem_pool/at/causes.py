"""What +CMS ERROR and +CME ERROR numbers mean for a message and its SIM: one row a number, and a rule for the ranges.

Source: 3GPP TS 27.005 3.2.5; 24.011 annex E-2 (0 to 127, RP-Cause); 23.040 9.2.3.22 (128 to 255, TP-FCS); 27.007 9.2.
Numbers from 512 on are of makers and differ between models. What must not enter: what is done about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

Remedy = Literal[
    "again_here",  # the network or the modem is busy: the same SIM, later
    "again_elsewhere",  # this SIM cannot now: another one
    "cool",  # this SIM rests first (promise P10)
    "bar",  # the network refuses this SIM: a person decides
    "number_bad",  # no SIM will reach this number
    "our_bug",  # what we wrote was wrong
]


class Cause(msgspec.Struct, frozen=True):
    """An error's name in its specification, and what helps."""

    name: str
    remedy: Remedy


SENDING: Final[Mapping[int, Cause]] = {
    1: Cause("unassigned number", "number_bad"),
    8: Cause("operator determined barring", "bar"),
    10: Cause("call barred", "bar"),
    21: Cause("short message transfer rejected", "cool"),
    22: Cause("memory capacity exceeded", "again_here"),
    27: Cause("destination out of order", "again_here"),
    28: Cause("unidentified subscriber", "bar"),
    29: Cause("facility rejected", "bar"),
    30: Cause("unknown subscriber", "bar"),
    38: Cause("network out of order", "cool"),  # some networks say so of a SIM without credit
    41: Cause("temporary failure", "cool"),
    42: Cause("congestion", "again_here"),
    47: Cause("resources unavailable", "again_here"),
    50: Cause("requested facility not subscribed", "bar"),
    69: Cause("requested facility not implemented", "bar"),
    81: Cause("invalid message reference", "our_bug"),
    95: Cause("semantically incorrect message", "our_bug"),
    96: Cause("invalid mandatory information", "our_bug"),
    97: Cause("message type not implemented", "our_bug"),
    98: Cause("message not compatible with the state", "again_here"),
    99: Cause("information element not implemented", "our_bug"),
    111: Cause("protocol error", "our_bug"),
    127: Cause("interworking", "again_here"),
    192: Cause("service centre busy", "again_here"),
    193: Cause("no subscription at the service centre", "bar"),
    194: Cause("service centre system failure", "again_here"),
    195: Cause("invalid address of the short message entity", "number_bad"),
    196: Cause("destination barred", "number_bad"),
    197: Cause("duplicate rejected", "again_here"),
    208: Cause("SIM storage full", "again_here"),
    211: Cause("memory capacity exceeded", "again_here"),
    300: Cause("device failure", "again_elsewhere"),
    301: Cause("SMS service of the device reserved", "again_elsewhere"),
    302: Cause("operation not allowed", "again_elsewhere"),
    303: Cause("operation not supported", "again_elsewhere"),
    304: Cause("invalid PDU mode parameter", "our_bug"),
    305: Cause("invalid text mode parameter", "our_bug"),
    310: Cause("SIM not inserted", "again_elsewhere"),
    311: Cause("SIM PIN required", "again_elsewhere"),
    312: Cause("phone-to-SIM PIN required", "again_elsewhere"),
    313: Cause("SIM failure", "again_elsewhere"),
    314: Cause("SIM busy", "again_here"),
    315: Cause("SIM wrong", "again_elsewhere"),
    316: Cause("SIM PUK required", "bar"),
    317: Cause("SIM PIN2 required", "again_elsewhere"),
    318: Cause("SIM PUK2 required", "again_elsewhere"),
    320: Cause("memory failure", "again_elsewhere"),
    321: Cause("invalid memory index", "our_bug"),
    322: Cause("memory full", "again_here"),
    330: Cause("service centre's address unknown", "our_bug"),
    331: Cause("no network service", "again_elsewhere"),
    332: Cause("network timeout", "again_here"),
    340: Cause("no +CNMA acknowledgement expected", "our_bug"),
    500: Cause("unknown error", "cool"),
}

EQUIPMENT: Final[Mapping[int, Cause]] = {
    3: Cause("operation not allowed", "again_elsewhere"),
    4: Cause("operation not supported", "again_elsewhere"),
    10: Cause("SIM not inserted", "again_elsewhere"),
    11: Cause("SIM PIN required", "again_elsewhere"),
    12: Cause("SIM PUK required", "bar"),
    13: Cause("SIM failure", "again_elsewhere"),
    14: Cause("SIM busy", "again_here"),  # for seconds after power-up
    15: Cause("SIM wrong", "again_elsewhere"),
    16: Cause("incorrect password", "bar"),
    17: Cause("SIM PIN2 required", "again_elsewhere"),
    18: Cause("SIM PUK2 required", "again_elsewhere"),
    30: Cause("no network service", "again_elsewhere"),
    31: Cause("network timeout", "again_here"),
    32: Cause("network not allowed, emergency calls only", "bar"),
    100: Cause("unknown", "cool"),
    103: Cause("illegal mobile station", "bar"),
    106: Cause("illegal mobile equipment", "bar"),
    111: Cause("network of this operator not allowed", "bar"),
    112: Cause("location area not allowed", "again_elsewhere"),
    113: Cause("roaming not allowed here", "again_elsewhere"),
    262: Cause("SIM blocked", "bar"),
}

RESERVED, VENDOR = Cause("reserved", "again_elsewhere"), Cause("of the maker's own", "cool")
HIGHEST_STANDARD: Final = 511  # 27.005 3.2.5: from 512 on manufacturer specific


def cause_of_sending(code: int) -> Cause:
    """The meaning of a +CMS ERROR; -1 for one without a number."""
    return SENDING.get(code, VENDOR if code > HIGHEST_STANDARD or code < 0 else RESERVED)


def cause_of_equipment(code: int) -> Cause:
    """The meaning of a +CME ERROR; -1 for one without a number."""
    return EQUIPMENT.get(code, VENDOR)
