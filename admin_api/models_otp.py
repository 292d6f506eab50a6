"""One-time codes as customers order and try them. The code itself is in no answer.

Words and limits here are the API's: OpenAPI is made from these types. Source of `autofill_origin`: WICG, origin-bound
one-time codes ("@host #code" as the last line).
What must not enter: how codes are made and compared (one_time_codes.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, field

from admin_api.languages import Words
from admin_api.models_messages import Price, Recipient, Sender
from admin_api.models_senders import nul_faults
from admin_api.problems import Fault

GAP: Final = "{code}"
ONE_GAP: Final = Words("write {code} once, where the code stands", "écrivez {code} une fois, à la place du code")

Status = Literal["pending", "approved", "expired", "too_many_attempts"]


class SendOtp(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A code to a number. template: the text, {code} in the code's place; without it a sentence in `language`, else the
    key's. autofill_origin: the host whose pages browsers may fill the code in.
    """

    to: Recipient
    sender: Sender = field(name="from")
    channel: Literal["sms"] = "sms"
    language: Literal["fr", "en"] | None = None
    template: Annotated[str, Meta(min_length=6, max_length=400)] | None = None
    length: Annotated[int, Meta(ge=4, le=10)] = 6
    validity_s: Annotated[int, Meta(ge=60, le=3600)] = 300
    attempts: Annotated[int, Meta(ge=1, le=10)] = 3
    autofill_origin: (
        Annotated[str, Meta(pattern=r"^(?=.{4,100}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$", description="A host name.")]
        | None
    ) = None

    def more_faults(self) -> Iterator[Fault]:
        """Of the text."""
        yield from nul_faults(self, "to", "template")
        if "\0" in self.sender:
            yield from (Fault(("from",), each.type, each.msg) for each in nul_faults(self, "sender"))
        if self.template is not None and self.template.count(GAP) != 1:
            yield Fault(("template",), "code_once", ONE_GAP)


class SentOtp(msgspec.Struct, kw_only=True):
    """A code on its way. message_id: of the message that carries it."""

    id: str
    status: Status
    to: str
    sender: str = field(name="from")
    channel: Literal["sms"]
    message_id: str
    parts: int
    price: Price
    expires_at: str
    attempts_left: int


class Otp(msgspec.Struct, kw_only=True):
    """A code as it stands."""

    id: str
    status: Status
    to: str
    message_id: str
    expires_at: str
    attempts_left: int


class VerifyOtp(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What the person typed."""

    code: Annotated[str, Meta(min_length=1, max_length=32)]


class VerifiedOtp(msgspec.Struct, kw_only=True):
    """approved is answered once, for the right code; used: it was approved before. wrong: attempts_left tell whether to
    ask again.
    """

    id: str
    status: Literal["approved", "wrong", "used", "expired", "too_many_attempts"]
    attempts_left: int
