"""The dress of carriers' message ids: one number, written in decimal here and in hexadecimal there.

Source: SMPP v3.4 5.2.23 (an id is opaque) against what carriers do (architecture, promise P4).
Pure: which keys an id in a receipt may stand under. What must not enter: lookups.
"""

from __future__ import annotations

from gateway.message import id_key

_HEX = frozenset("0123456789abcdef")
LONGEST_HEX, LONGEST_DECIMAL = 32, 39  # digits of 128 bits; past them an id is no number a carrier counts with
UUID_DASHES = (8, 12, 16, 20)  # RFC 9562 section 4: 8-4-4-4-12 digits


def keys_of_receipted_id(smsc_message_id: str) -> list[str]:
    """The keys (see message.id_key) to look an id up by, likeliest first: as it is, decimal as hex, hex as decimal,
    a UUID without its dashes or with them.
    """
    key = id_key(smsc_message_id)
    keys = [key]
    if key and _HEX.issuperset(key):
        if len(key) <= LONGEST_DECIMAL and key.isdecimal():
            keys.append(f"{int(key):x}")
        if len(key) <= LONGEST_HEX:
            keys.append(str(int(key, 16)))
    if len(smsc_message_id) == LONGEST_HEX:
        dashed = "-".join(smsc_message_id[a:b] for a, b in zip((0, *UUID_DASHES), (*UUID_DASHES, None), strict=True))
        keys.append(id_key(dashed))
    elif len(smsc_message_id) == LONGEST_HEX + len(UUID_DASHES) and smsc_message_id.count("-") == len(UUID_DASHES):
        keys.append(id_key(smsc_message_id.replace("-", "")))
    return list(dict.fromkeys(keys))
