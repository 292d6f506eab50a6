"""The text of a message for an operator's eyes, by its data_coding.

What belongs here: SMPP v3.4 5.2.19 to an alphabet, the header skipped (3GPP TS 23.040 9.2.3.24), the rest as text.
What must not enter: a fault: what cannot be read as text is shown as what it is.
"""

from __future__ import annotations

from typing import Final

from gateway.message import Envelope
from telecom.alphabets import decode_gsm7

UDHI: Final = 0x40  # SMPP v3.4 5.2.12: esm_class bit 6
HIDDEN: Final = "***"  # in place of what carries a one-time code
_CODECS: Final = {1: "ascii", 3: "latin-1", 6: "iso8859-5", 7: "iso8859-8", 8: "utf-16-be"}


def shown_text(user_data: bytes, data_coding: int, envelope: Envelope) -> str | None:
    """The text of a message of ours; of one with a one-time code nobody sees it."""
    return HIDDEN if envelope.is_secret else decode_text(user_data, data_coding, envelope.esm_class)


def decode_text(user_data: bytes, data_coding: int, esm_class: int) -> str | None:
    """The text, or None where the octets are no text (binary codings, or not what they claim to be)."""
    body = user_data
    if esm_class & UDHI and user_data:
        body = user_data[1 + user_data[0] :]
    if data_coding == 0:
        return decode_gsm7(body)
    codec = _CODECS.get(data_coding)
    if codec is None:
        return None
    try:
        return body.decode(codec)
    except UnicodeDecodeError:
        return None
