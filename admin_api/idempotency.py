"""A request that may be repeated: the same Idempotency-Key gives the same answer for 72 hours, and acts once.

Source: defaults page, HTTP. The key is stored in the transaction that stores the request's messages, with the answer as
it would be if everything admitted could be paid; what could not be is seen by the rows that are missing.
What must not enter: which messages a request makes (messages.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from admin_api.languages import Language, Words
from admin_api.problems import Fault, Problem, members
from admin_api.service import Answer, Call, Service
from gateway.storage.terms import KEYS_KEPT_MS, IdempotencyKey, StoredKey, find_key

REPLAYED = {"Idempotent-Replayed": "true"}


LONGEST_KEY: Final = 255  # chosen
KEY_WORDS: Final = Words("at most 255 printable characters", "255 caractères imprimables au plus")


def key_fault(key: str) -> Fault | None:
    """Why a key is none; absent it is empty."""
    if len(key) <= LONGEST_KEY and key.isprintable():
        return None
    return Fault(("header", "Idempotency-Key"), "length", KEY_WORDS)


class Kept(msgspec.Struct):
    """An answer as it is stored. one: its single result is the whole answer."""

    one: bool
    results: list[Any]
    language: Language


def hash_body(body: Any) -> bytes:
    """Equal for requests that ask the same, however they are spaced."""
    return hashlib.blake2b(msgspec.json.encode(body), digest_size=32).digest()


async def once(service: Service, call: Call, answer: Callable[[], Awaitable[Answer | Problem]]) -> Answer | Problem:
    """Answer; under an Idempotency-Key only the first time, and as then from there on."""
    if not call.idempotency_key:
        return await answer()
    place = (call.account_id, call.route, call.idempotency_key)
    if place in service.in_flight:
        return Problem("idempotency_in_flight")
    service.in_flight.add(place)
    try:
        return await find_answer(service, call) or await answer()
    finally:
        service.in_flight.discard(place)


async def find_answer(service: Service, call: Call) -> Answer | Problem | None:
    """What was answered under this key before; None: nothing yet."""
    since_ms = call.now_ms - KEYS_KEPT_MS
    asked = (call.account_id, call.route, call.idempotency_key, since_ms)
    found = await service.reader.run(lambda connection: find_key(connection, *asked))
    if found is None:
        return None
    if found.body_hash != hash_body(call.body):
        return Problem("idempotency_mismatch")
    return Answer(render(_as_stored(found)), headers=REPLAYED)


def new_key(call: Call, kept: Kept, message_ids: list[int]) -> IdempotencyKey:
    """The row to be stored with the request's messages."""
    answer = msgspec.json.encode(kept)
    return IdempotencyKey(call.route, call.idempotency_key, hash_body(call.body), answer, message_ids, call.now_ms)


def _as_stored(found: StoredKey) -> Kept:
    """The answer with what could not be paid told as such."""
    kept = msgspec.json.decode(found.answer, type=Kept)
    stored = frozenset(found.stored)
    for place, message_id in enumerate(found.message_ids):
        if message_id and message_id not in stored:
            was = kept.results[place]
            problem = members(Problem("insufficient_credit"), kept.language)
            kept.results[place] = {"to": was["to"], "problem": problem, "client_ref": was.get("client_ref")}
            kept.results[place]["status"] = "refused"
    return kept


def render(kept: Kept) -> dict[str, Any]:
    """The answer's body."""
    if kept.one:
        one: dict[str, Any] = kept.results[0]
        return one
    refused = sum(each["status"] == "refused" for each in kept.results)
    return {"accepted": len(kept.results) - refused, "refused": refused, "messages": kept.results}
