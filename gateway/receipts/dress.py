"""The dress of carriers' message ids: one number, written in decimal here and in hexadecimal there.

Source: SMPP v3.4 5.2.23 (an id is opaque) against what carriers do (architecture, promise P4).
Pure: which keys an id in a receipt may stand under, and what the first matches of a carrier teach about it.
What must not enter: lookups, which message is meant.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from gateway.message import id_key

_HEX = frozenset("0123456789abcdef")
LONGEST_HEX, LONGEST_DECIMAL = 32, 39  # digits of 128 bits; past them an id is no number a carrier counts with
UUID_DASHES = (8, 12, 16, 20)  # RFC 9562 section 4: 8-4-4-4-12 digits
LEARN_MATCHES: Final = 20  # smpp-answers: learn the dress on the first 20 matches, lock it
SHORTEST_SHARED: Final = 6  # chosen: characters that two ids must share before one is taken for a piece of the other
LONGEST_AFFIX: Final = 32  # chosen: characters that a carrier puts before an id, or leaves out

# From the id of submit_sm_resp to the id in the receipt. Beside these: "added:P" (P stands before it), "dropped:P" (P,
# which stood before it, is missing) and "last:N" (only the last N characters are left).
SAME, DECIMAL, HEXADECIMAL, DASHES = "same", "decimal", "hexadecimal", "dashes"
PLAIN_DRESSES: Final = (SAME, DECIMAL, HEXADECIMAL, DASHES)  # known without having seen a pair


def receipted_key(dress: str, smsc_message_id: str) -> str | None:
    """The key (see message.id_key) of the attempt that a receipt of this dress names; None: it cannot be of it."""
    key = id_key(smsc_message_id)
    if dress == SAME or dress.startswith("last:"):
        return key
    if dress == DECIMAL:
        return f"{int(key):x}" if key.isdecimal() and key.isascii() and len(key) <= LONGEST_DECIMAL else None
    if dress == HEXADECIMAL:
        return str(int(key, 16)) if key and _HEX.issuperset(key) and len(key) <= LONGEST_HEX else None
    if dress == DASHES:
        return _other_dashes(smsc_message_id)
    kind, _, affix = dress.partition(":")
    if kind == "dropped":
        return id_key(affix + smsc_message_id)
    return id_key(smsc_message_id[len(affix) :]) if smsc_message_id.lower().startswith(affix) else None


def key_in_receipts(dress: str, smsc_message_id: str) -> str:
    """The key that a receipt of this dress has for an attempt that was answered with this id."""
    key = id_key(smsc_message_id)
    if dress in PLAIN_DRESSES:
        way_back = {DECIMAL: HEXADECIMAL, HEXADECIMAL: DECIMAL}.get(dress, dress)
        return receipted_key(way_back, smsc_message_id) or key
    kind, _, affix = dress.partition(":")
    if kind == "last":
        return id_key(smsc_message_id[-int(affix) :])
    return id_key(affix + smsc_message_id) if kind == "added" else id_key(smsc_message_id[len(affix) :])


def _other_dashes(smsc_message_id: str) -> str | None:
    """The key of a UUID without its dashes, or with them."""
    if len(smsc_message_id) == LONGEST_HEX:
        dashed = "-".join(smsc_message_id[a:b] for a, b in zip((0, *UUID_DASHES), (*UUID_DASHES, None), strict=True))
        return id_key(dashed)
    if len(smsc_message_id) == LONGEST_HEX + len(UUID_DASHES) and smsc_message_id.count("-") == len(UUID_DASHES):
        return id_key(smsc_message_id.replace("-", ""))
    return None


def keys_by_dress(smsc_message_id: str) -> dict[str, str]:
    """Every key that a receipt's id may stand under, with the dress it then has, likeliest first: as it is, decimal as
    hex, hex as decimal, a UUID without its dashes or with them.
    """
    keys: dict[str, str] = {}
    for dress in PLAIN_DRESSES:
        key = receipted_key(dress, smsc_message_id)
        if key is not None:
            keys.setdefault(key, dress)
    return keys


def dresses_between(answered: str, receipted: str) -> tuple[str, ...]:
    """Every dress that leads from an answered id to a receipted one, the simplest first; none: they share nothing."""
    key = id_key(answered)
    plain = tuple(dress for dress in PLAIN_DRESSES if receipted_key(dress, receipted) == key)
    if plain:
        return plain
    ours, theirs = answered.lower(), receipted.lower()
    if len(theirs) >= SHORTEST_SHARED and ours.endswith(theirs) and len(ours) - len(theirs) <= LONGEST_AFFIX:
        before = ours[: -len(theirs)]  # a word of the carrier's, or digits that count on
        return (f"last:{len(theirs)}" if _HEX.issuperset(before) else f"dropped:{before}",)
    if len(ours) >= SHORTEST_SHARED and theirs.endswith(ours) and len(theirs) - len(ours) <= LONGEST_AFFIX:
        return (f"added:{theirs[: -len(ours)]}",)
    return ()


class LearnedDress:
    """What one carrier's matches teach: after LEARN_MATCHES the dress is locked; as many others in a row change it."""

    __slots__ = ("given", "last", "locked", "same", "seen")

    def __init__(self, locked: str = "", given: bool = False) -> None:
        """locked: known from a former life, or (given) by configuration, which no match changes."""
        self.given = given
        self.seen: Counter[str] = Counter()  # while learning: of all matches; once locked: of others in a row
        self.lock(locked)

    def lock(self, dress: str) -> None:
        """Believe in this dress from here on."""
        self.locked = dress
        self.same = dress == SAME
        self.last = int(dress.partition(":")[2]) if dress.startswith("last:") else 0
        self.seen.clear()

    @property
    def believed(self) -> str:
        """The locked dress, else the one seen most so far; "" before anything was seen."""
        return self.locked or (self.seen.most_common(1)[0][0] if self.seen else "")

    def answered_key(self, smsc_message_id: str) -> str:
        """The key under which an attempt waits that the carrier named so."""
        return id_key(smsc_message_id[-self.last :] if self.last else smsc_message_id)

    def learn(self, dresses: tuple[str, ...]) -> str | None:
        """Count a match in one of these dresses; the dress, once LEARN_MATCHES agree on one that was not locked yet."""
        if self.locked in dresses:
            self.seen.clear()
            return None
        for dress in dresses:
            self.seen[dress] += 1
            if self.seen[dress] >= LEARN_MATCHES:
                if self.given:
                    self.seen.clear()
                else:
                    self.lock(dress)
                return dress
        return None
