"""Which e-mail addresses notices may go to: a strict reading, so that an address is nothing else.

Source: RFC 5321 4.5.3.1 (lengths), RFC 5322 3.4.1 (dot-atom). Quoted local parts and address literals are refused:
nobody's mailbox needs them. Phones are read by telecom.numbers. Pure.
What must not enter: asking the network whether somebody reads there.
"""

from __future__ import annotations

import re
from typing import Final

LOCAL_OCTETS: Final = 64  # RFC 5321 4.5.3.1.1
ADDRESS_OCTETS: Final = 254  # RFC 5321 4.5.3.1.3, without the brackets
_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def read_email(text: str) -> str | None:
    """The address as it is used, its domain in lower case (international names as RFC 5891 writes them); None: none."""
    local, at, domain = text.strip().rpartition("@")
    if not at or len(local) > LOCAL_OCTETS or _LOCAL.fullmatch(local) is None or len(domain) > ADDRESS_OCTETS:
        return None
    try:
        domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    labels = domain.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdecimal():
        return None
    address = f"{local}@{domain}"
    return address if len(address) <= ADDRESS_OCTETS else None
