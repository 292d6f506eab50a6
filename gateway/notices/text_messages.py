"""A notice as an SMS: a message of the house's own account, accepted and paid for like any other.

Its client_ref is the sending's name, so that acceptance itself sees to it that none is accepted twice (promise P1).
What must not enter: another way to accept a message; rules (gateway.accept decides).
"""

from __future__ import annotations

from typing import Final

from gateway.accept.refusals import Refusal
from gateway.lifecycle import Lifecycle
from gateway.message import HTTP_DOOR, Envelope, Submission
from gateway.notices.mailer import Found
from gateway.storage.group_commit import NotCommitted, OutcomeUnknown
from gateway.storage.reader import Reader
from gateway.storage.terms import Terms, find_refs
from telecom.alphabets import NotInAlphabet
from telecom.data_coding import DEFAULT, UCS2
from telecom.parts import choose_encoding, encode_text

RECEIPT_ASKED: Final = 1  # SMPP v3.4 5.2.17
TON_UNKNOWN, TON_INTERNATIONAL, TON_ALPHANUMERIC = 0, 1, 5  # SMPP v3.4 5.2.5
AGAIN: Final = frozenset({Refusal.NO_ROUTE, Refusal.NO_CREDIT})  # beside the temporary ones: operators put it right


class Texter:
    """Sends as one account, from one sender."""

    def __init__(self, lifecycle: Lifecycle, reader: Reader, account: str, sender: str) -> None:
        self._lifecycle = lifecycle
        self._reader = reader
        self._account = account
        self._sender = sender

    async def send(self, phone: str, text: str, ref: str, expires_at_ms: int) -> tuple[Found, int | None]:
        """What came of it, and the message's id."""
        accounts = self._lifecycle.book.accounts.values()
        account = next((each for each in accounts if each.name == self._account), None)
        if account is None:
            return Found("refused", "account_unknown"), None
        encoding = choose_encoding(text)
        octets = encode_text(text, encoding)
        if isinstance(octets, NotInAlphabet):
            return Found("refused", "text_not_encodable"), None
        is_number = self._sender.isascii() and self._sender.isdecimal()
        submission = Submission(
            account.account_id,
            HTTP_DOOR,
            "transactional",
            self._sender,
            phone,
            DEFAULT if encoding.alphabet == "gsm7" else UCS2,
            octets,
            Envelope(
                source_addr_ton=TON_UNKNOWN if is_number else TON_ALPHANUMERIC,
                dest_addr_ton=TON_INTERNATIONAL,
                registered_delivery=RECEIPT_ASKED,
                submitted_source=self._sender,
                submitted_destination=phone,
                client_ref=ref,
            ),
            0,
            expires_at_ms,
        )
        message = self._lifecycle.admit(submission)
        if isinstance(message, Refusal):
            return Found("again" if message.temporary or message in AGAIN else "refused", message.value), None
        terms = Terms(account.account_id, frozenset({message.message_id}), refs={message.message_id: ref})
        try:
            out = await self._lifecycle.accept([message], terms)
            if message.message_id in terms.refs_taken:  # a try whose end nobody heard of
                found = await self._reader.run(lambda c: find_refs(c, account.account_id, [ref]))
                return Found("taken"), found.get(ref)
        except (NotCommitted, OutcomeUnknown):
            return Found("again", Refusal.DATABASE_AWAY.value), None
        if message.message_id in out:
            return Found("again", Refusal.NO_CREDIT.value), None
        return Found("taken"), message.message_id
