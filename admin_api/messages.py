"""POST /v1/messages and /v1/messages/batch: from models to submissions, and from what became of them to answers.

Source: architecture section 3: this door translates, `gateway.lifecycle` decides. An answer of 202 leaves after the
commit that stores messages, hold, idempotency key and customers' names (promise P1).
What must not enter: a rule about messages; a second way to store one.
"""

from __future__ import annotations

import asyncio
import datetime
from typing import Final, Literal

import msgspec

from admin_api import account_limits, idempotency
from admin_api.idempotency import Kept
from admin_api.languages import Words
from admin_api.models_messages import (
    Accepted,
    Content,
    NetworkOf,
    Price,
    Refused,
    SendBatch,
    SendMessage,
)
from admin_api.models_money import format_credits
from admin_api.problems import Problem, members, refused
from admin_api.service import Answer, Call, Service
from gateway.accept.refusals import Refusal
from gateway.message import HTTP_DOOR, Envelope, Message, Submission, accepted_at_ms
from gateway.storage.terms import Terms, find_refs
from telecom.alphabets import NotInAlphabet, offending_characters
from telecom.data_coding import DEFAULT, UCS2, meaning_of
from telecom.parts import Encoding, choose_encoding, encode_text
from telecom.transliteration import to_gsm_mode

ADMITTED_AT_ONCE: Final = 100  # chosen: some 3 ms; then others of this process have their turn
TON_UNKNOWN, TON_INTERNATIONAL, TON_ALPHANUMERIC = 0, 1, 5  # SMPP v3.4 5.2.5
RECEIPT_ASKED: Final = 1  # SMPP v3.4 5.2.17: of the carrier, whoever is told

EncodingWord = Literal["gsm7", "ucs2", "binary"]
Outcome = Message | Problem


class Wanted(msgspec.Struct):
    """One message of a request: to whom, and what."""

    to: str
    content: Content


class _Wording(msgspec.Struct, frozen=True):
    """A text as octets."""

    user_data: bytes
    data_coding: int


async def send(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/messages."""
    body: SendMessage = call.body
    one = isinstance(body.to, str)
    recipients = [body.to] if isinstance(body.to, str) else body.to
    return await _answer_once(service, call, [Wanted(to, body) for to in recipients], one, atomic=False)


async def send_batch(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/messages/batch."""
    body: SendBatch = call.body
    wanted = [Wanted(each.to, each) for each in body.messages]
    return await _answer_once(service, call, wanted, one=False, atomic=body.atomic)


async def _answer_once(service: Service, call: Call, wanted: list[Wanted], one: bool, atomic: bool) -> Answer | Problem:
    return await idempotency.once(service, call, lambda: _answer(service, call, wanted, one, atomic))


async def _answer(service: Service, call: Call, wanted: list[Wanted], one: bool, atomic: bool) -> Answer | Problem:
    outcomes = await _admit(service, call, wanted)
    if atomic and any(isinstance(each, Problem) for each in outcomes):
        account_limits.give_back(service, [each for each in outcomes if isinstance(each, Message)])
        outcomes = [each if isinstance(each, Problem) else Problem("batch_undone") for each in outcomes]
    admitted = [each for each in outcomes if isinstance(each, Message)]
    if admitted:
        terms = _terms(service, call, wanted, outcomes, one, atomic)
        out = await service.lifecycle.accept(admitted, terms)
        if terms is not None and terms.key_taken:  # by another process, a moment ago
            account_limits.give_back(service, admitted)
            return await idempotency.find_answer(service, call) or Problem("idempotency_in_flight")
        if out:
            account_limits.give_back(service, [each for each in admitted if each.message_id in out])
        outcomes = [
            _why_not(each, terms) if isinstance(each, Message) and each.message_id in out else each for each in outcomes
        ]
    return _told(service, call, wanted, outcomes, one)


def _terms(
    service: Service, call: Call, wanted: list[Wanted], outcomes: list[Outcome], one: bool, atomic: bool
) -> Terms | None:
    """What must hold beside credit; None: nothing."""
    admitted = [each for each in outcomes if isinstance(each, Message)]
    refs = {m.message_id: m.envelope.client_ref for m in admitted if m.envelope.client_ref}
    if not refs and not atomic and not call.idempotency_key:
        return None
    terms = Terms(call.account_id, frozenset(m.message_id for m in admitted), refs=refs, atomic=atomic)
    if call.idempotency_key:
        results = [result(service, call, w, o) for w, o in zip(wanted, outcomes, strict=True)]
        kept = Kept(one, results, call.language)
        ids = [each.message_id if isinstance(each, Message) else 0 for each in outcomes]
        terms.key = idempotency.new_key(call, kept, ids)
    return terms


def _why_not(message: Message, terms: Terms | None) -> Problem:
    if terms is not None and message.message_id in terms.refs_taken:
        return Problem("client_ref_taken")
    if terms is not None and terms.undone and terms.refs_taken:
        return Problem("batch_undone")
    return Problem("insufficient_credit")


# ---------------------------------------------------------------- from models to submissions


async def _admit(service: Service, call: Call, wanted: list[Wanted]) -> list[Outcome]:
    """Every rule but credit, of each."""
    taken = await _taken_refs(service, call, wanted)
    wordings: dict[int, _Wording | Problem] = {}  # by the identity of the content, which recipients share
    outcomes: list[Outcome] = []
    for place, each in enumerate(wanted):
        if place % ADMITTED_AT_ONCE == ADMITTED_AT_ONCE - 1:
            await asyncio.sleep(0)
        content = each.content
        wording = wordings.get(id(content))
        if wording is None:
            wording = wordings[id(content)] = word(content)
        if isinstance(wording, Problem):
            outcomes.append(wording)
        elif content.client_ref is not None and content.client_ref in taken:
            outcomes.append(Problem("client_ref_taken", more={"message_id": str(taken[content.client_ref])}))
        else:
            outcomes.append(admit_one(service, call, each, wording))
    return outcomes


async def _taken_refs(service: Service, call: Call, wanted: list[Wanted]) -> dict[str, int]:
    refs = [each.content.client_ref for each in wanted if each.content.client_ref is not None]
    if not refs:
        return {}
    return await service.reader.run(lambda connection: find_refs(connection, call.account_id, refs))


def word(content: Content) -> _Wording | Problem:
    """The octets of a text. gsm7: written with near characters where the alphabet lacks some."""
    text = content.text
    if content.encoding == "gsm7":
        text = to_gsm_mode(text).text
        if lacking := offending_characters(text):
            return _not_encodable(lacking)
    encoding: Encoding = choose_encoding(text)
    octets = encode_text(text, encoding)
    if isinstance(octets, NotInAlphabet):
        return _not_encodable(octets.offending)
    return _Wording(octets, DEFAULT if encoding.alphabet == "gsm7" else UCS2)


def _not_encodable(characters: tuple[str, ...]) -> Problem:
    shown = [each.encode("utf-8", "replace").decode() for each in characters]
    listed = " ".join(shown[:20])
    words = Words(f"Not in the alphabet: {listed}", f"Hors de l'alphabet : {listed}")
    return Problem("text_not_encodable", words, more={"characters": shown})


def admit_one(service: Service, call: Call, wanted: Wanted, wording: _Wording) -> Outcome:
    """The message that a request asks for, by every rule but credit, or the problem that it is."""
    content = wanted.content
    digits = content.sender.removeprefix("+")
    numeric = digits.isascii() and digits.isdecimal()
    if content.no_reply and numeric:
        return Problem("no_reply_impossible")
    not_before_ms = _unix_ms(content.schedule_at) if content.schedule_at is not None else 0
    if not_before_ms <= call.now_ms:
        not_before_ms = 0
    expires_at_ms = 0
    if content.validity_s is not None:
        expires_at_ms = max(not_before_ms, call.now_ms) + content.validity_s * 1000
    submission = Submission(
        call.account_id,
        HTTP_DOOR,
        content.traffic_class or call.caller.key.traffic_class,
        content.sender,
        wanted.to,
        wording.data_coding,
        wording.user_data,
        Envelope(
            source_addr_ton=TON_UNKNOWN if numeric else TON_ALPHANUMERIC,
            dest_addr_ton=TON_INTERNATIONAL if wanted.to.startswith("+") else TON_UNKNOWN,
            registered_delivery=RECEIPT_ASKED,
            submitted_source=content.sender,
            submitted_destination=wanted.to,
            client_ref=content.client_ref or "",
            no_reply=content.no_reply,
        ),
        not_before_ms,
        expires_at_ms,
    )
    admitted = account_limits.admit(service, submission)
    if isinstance(admitted, Refusal):
        if content.no_reply and admitted in (Refusal.NO_ROUTE, Refusal.SENDER_REFUSED):
            return Problem("no_reply_impossible")
        if admitted is Refusal.NO_ROUTE and not any(each.inherits for each in service.keeper.living):
            return Problem("node_away")  # none could say that it has a way
        return refused(admitted)
    return admitted


def _unix_ms(time: datetime.datetime) -> int:
    return int(time.timestamp() * 1000)


# ---------------------------------------------------------------- answers


def _told(service: Service, call: Call, wanted: list[Wanted], outcomes: list[Outcome], one: bool) -> Answer | Problem:
    """One result is the answer or the problem itself; of several each is told, and where all failed alike, how."""
    first = outcomes[0]
    if one and isinstance(first, Problem):
        return first
    if one and isinstance(first, Message):
        return Answer(_accepted(first, service))
    results = [result(service, call, w, o) for w, o in zip(wanted, outcomes, strict=True)]
    if any(isinstance(each, Message) for each in outcomes):
        return Answer(idempotency.render(Kept(False, msgspec.to_builtins(results), call.language)))
    codes = {each.code for each in outcomes if isinstance(each, Problem)}
    return Problem(codes.pop() if len(codes) == 1 else "all_refused", more={"messages": msgspec.to_builtins(results)})


def result(service: Service, call: Call, wanted: Wanted, outcome: Outcome) -> Accepted | Refused:
    """One entry of `messages`."""
    if isinstance(outcome, Message):
        return _accepted(outcome, service)
    return Refused(wanted.to, members(outcome, call.language), wanted.content.client_ref)


def _accepted(message: Message, service: Service) -> Accepted:
    return Accepted(
        id=str(message.message_id),
        to=f"+{message.destination_addr}",
        sender=message.source_addr,
        parts=message.part_count,
        encoding=encoding_of(message.data_coding),
        price=Price(format_credits(message.price_micros)),
        credits=format_credits(message.price_micros),
        created_at=format_time(accepted_at_ms(message.message_id)),
        network=network_of(service, message.destination_addr),
        client_ref=message.envelope.client_ref or None,
        scheduled_at=format_time(message.not_before_ms) if message.not_before_ms else None,
    )


def encoding_of(data_coding: int) -> EncodingWord:
    """The word for a data_coding."""
    if data_coding == DEFAULT:
        return "gsm7"
    meaning = meaning_of(data_coding)
    if meaning is None or meaning.unit == "octets":
        return "binary"
    return "ucs2" if meaning.unit == "ucs2" else "gsm7"


def network_of(service: Service, digits: str) -> NetworkOf | None:
    """The network of a number, where its range is known."""
    networks = service.book.networks
    network = networks.lookup(digits) if networks is not None else None
    return None if network is None else NetworkOf(network.mcc, network.mnc, network.operator)


def format_time(unix_ms: int) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    moment = datetime.datetime.fromtimestamp(unix_ms // 1000, datetime.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{unix_ms % 1000:03d}Z"
