"""A rendered notice as an e-mail: head, plain text and HTML, in octets.

Source: RFC 5322, RFC 2045 (UTF-8, quoted-printable), RFC 3834 (Auto-Submitted). The Message-ID is the sending's, the
same at every try, so that a receiver knows a duplicate.
What must not enter: words (wording.py), the connection to a server (mailer.py).
"""

from __future__ import annotations

import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from gateway.notices.wording import Language, Rendered


def message_id_of(sending_id: int, edition: int, made_at_ms: int, sender: str) -> str:
    """The name of a letter: the same at every try; another one where a person sends it again."""
    return f"<notice-{sending_id}-{edition}-{made_at_ms}@{sender.rpartition('@')[2]}>"


def write_letter(
    rendered: Rendered, language: Language, sender: Address, recipient: str, message_id: str, at_ms: int
) -> bytes:
    """The octets of a letter. sender: with the name that people see."""
    letter = EmailMessage(policy=SMTP)
    letter["From"] = sender
    letter["To"] = Address(addr_spec=recipient)
    letter["Subject"] = rendered.subject
    letter["Date"] = format_datetime(datetime.datetime.fromtimestamp(at_ms // 1000, datetime.UTC))
    letter["Message-ID"] = message_id
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(rendered.text, cte="quoted-printable")
    letter.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    letter["Content-Language"] = language  # set before, it would be the first part's
    return letter.as_bytes()
