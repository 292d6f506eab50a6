"""What a sender can be: a name of GSM 7-bit that a handset shows, or digits. The same for every door.

Source: 3GPP TS 23.040 9.1.2.5 (ten octets of address), E.164 section 6, 3GPP TS 22.101 10.1.1 (emergency numbers).
What must not enter: whose a name is, sentences (each door has its own).
"""

from __future__ import annotations

from typing import Final, Literal

from telecom.alphabets import septet_length

ALPHANUMERIC_LIMIT: Final = 11  # 3GPP TS 23.040 9.1.2.5: ten octets of address hold eleven septets
NUMERIC_LIMIT: Final = 15  # E.164, 6
SHORTEST_NUMBER: Final = 3  # chosen: two digits are nobody's to register
EMERGENCY_NUMBERS: Final = frozenset({"112", "911", "999", "000", "110", "118", "119"})  # 3GPP TS 22.101, 10.1.1
RESERVED_NAMES: Final = frozenset(  # defaults page: words that opt out and back in
    ("stop", "stopall", "unsubscribe", "end", "quit", "cancel", "remove", "revoke", "arret", "desabonnement")
    + ("start", "unstop")
)

SenderFault = Literal["number", "reserved", "name"]


def fault_of_sender(sender: str) -> SenderFault | None:
    """Why this can be no sender: as a number, for it is a word that handsets answer with, as a name. None: it can."""
    digits = sender.removeprefix("+")
    if digits.isascii() and digits.isdigit():
        fits = SHORTEST_NUMBER <= len(digits) <= NUMERIC_LIMIT and digits not in EMERGENCY_NUMBERS
        return None if fits else "number"
    if sender.casefold() in RESERVED_NAMES:
        return "reserved"
    plain = sender.isascii() and sender.isprintable() and sender.strip() == sender
    septets = septet_length(sender) if plain else None
    if isinstance(septets, int) and 1 <= septets <= ALPHANUMERIC_LIMIT and any(each.isalpha() for each in sender):
        return None
    return "name"
