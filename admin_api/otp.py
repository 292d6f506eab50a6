"""/v1/otp: one-time codes sent by SMS and tried. A code leaves as any message does, in the lane of its class.

The message, its hold and the row of its code commit together (gateway/storage/terms.py); a try is counted and committed
before it is answered. Another account's code is not found.
What must not enter: a code in an answer, a log or a row; limits (gateway/storage/one_time_codes.py).
"""

from __future__ import annotations

import msgspec

from admin_api import account_limits, idempotency
from admin_api.idempotency import Kept, once
from admin_api.message_reading import read_id
from admin_api.messages import Wanted, admit_one, format_time, word
from admin_api.models_messages import Content, Price
from admin_api.models_money import format_credits
from admin_api.models_otp import Otp, SendOtp, SentOtp, Status, VerifiedOtp, VerifyOtp
from admin_api.one_time_codes import fill_in, make_code, template_of
from admin_api.problems import Problem
from admin_api.service import Answer, Call, Service
from gateway.message import Message
from gateway.storage import one_time_codes as rows
from gateway.storage.one_time_codes import OneTimeCode, Sending
from gateway.storage.terms import Terms


async def send(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/otp."""
    return await once(service, call, lambda: _send(service, call))


async def _send(service: Service, call: Call) -> Answer | Problem:
    asked: SendOtp = call.body
    template = template_of(asked.template, asked.language or call.language, asked.autofill_origin)
    new = OneTimeCode(
        0, call.account_id, asked.to, asked.sender, template, asked.length, b"", 0, asked.attempts, asked.validity_s, 0
    )
    return await _leave(service, call, new)


async def send_again(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/otp/{id}/resend: another code in place of the former; what was tried stays counted."""
    found = await _find(service, call)
    if found is None:
        return Problem("not_found")
    if found.state != "pending" or found.attempts >= found.most_attempts:
        return Problem("otp_over", more={"otp_status": status_of(found, call.now_ms)})
    return await _leave(service, call, msgspec.structs.replace(found, number=f"+{found.number}"))


async def _leave(service: Service, call: Call, row: OneTimeCode) -> Answer | Problem:
    """Give a row a code and a message, and let both commit."""
    code = make_code(row.code_length)
    content = Content(
        sender=row.sender,
        text=fill_in(row.template, code),
        traffic_class="otp",
        validity_s=row.validity_s,
    )
    wording = word(content)
    if isinstance(wording, Problem):
        return wording
    message = admit_one(service, call, Wanted(row.number, content), wording)
    if isinstance(message, Problem):
        return message
    message.envelope.is_secret = True
    row.otp_id = row.otp_id or message.message_id
    row.message_id, row.number, row.expires_at_ms = message.message_id, message.destination_addr, message.expires_at_ms
    row.code_hash = service.codes.hash_code(call.account_id, row.otp_id, code)
    sent = _sent(row, message)
    terms = Terms(call.account_id, frozenset((message.message_id,)), code=Sending(row, call.now_ms))
    if call.idempotency_key:
        terms.key = idempotency.new_key(call, Kept(True, [sent], call.language), [message.message_id])
    out = await service.lifecycle.accept([message], terms)
    if terms.key_taken:  # by another process, a moment ago
        return await idempotency.find_answer(service, call) or Problem("idempotency_in_flight")
    if message.message_id not in out:  # others of its batch may be
        return Answer(sent)
    account_limits.give_back(service, [message])
    return _refused(terms, call.now_ms)


def _refused(terms: Terms, now_ms: int) -> Problem:
    assert terms.code is not None
    if terms.code.over is None:
        return Problem("insufficient_credit")
    wait_s = max(1, -(-(terms.code.retry_at_ms - now_ms) // 1000))
    return Problem("otp_limit", more={"limit": terms.code.over}, retry_after_s=wait_s)


async def show(service: Service, call: Call) -> Answer | Problem:
    """GET /v1/otp/{id}."""
    found = await _find(service, call)
    if found is None:
        return Problem("not_found")
    return Answer(
        Otp(
            id=str(found.otp_id),
            status=status_of(found, call.now_ms),
            to=f"+{found.number}",
            message_id=str(found.message_id),
            expires_at=format_time(found.expires_at_ms),
            attempts_left=found.most_attempts - found.attempts,
        )
    )


async def verify(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/otp/{id}/verify."""
    asked: VerifyOtp = call.body
    account_id, otp_id = call.account_id, read_id(call.path["id"])
    if otp_id is None:
        return Problem("not_found")
    before = await _find(service, call)
    if before is None:
        return Problem("not_found")

    def fits(stored: bytes) -> bool:
        return service.codes.fits(account_id, otp_id, asked.code, stored)

    approved = await service.reader.run(lambda c: rows.try_code(c, account_id, otp_id, call.now_ms, fits))
    after = await _find(service, call)
    if after is None:
        return Problem("not_found")
    left = after.most_attempts - after.attempts
    if approved:
        return Answer(VerifiedOtp(id=str(otp_id), status="approved", attempts_left=left))
    now = status_of(after, call.now_ms)
    status = {"pending": "wrong", "approved": "used"}.get(now, now)
    return Answer(VerifiedOtp(id=str(otp_id), status=status, attempts_left=left))  # type: ignore[arg-type]  # the rest are alike


# ---------------------------------------------------------------- what they share


async def _find(service: Service, call: Call) -> OneTimeCode | None:
    otp_id = read_id(call.path["id"])
    if otp_id is None:
        return None
    return await service.reader.run(lambda c: rows.find_code(c, call.account_id, otp_id))


def status_of(code: OneTimeCode, now_ms: int) -> Status:
    """Where a code stands."""
    if code.state == "approved":
        return "approved"
    if code.attempts >= code.most_attempts:
        return "too_many_attempts"
    return "expired" if code.expires_at_ms <= now_ms else "pending"


def _sent(row: OneTimeCode, message: Message) -> SentOtp:
    return SentOtp(
        id=str(row.otp_id),
        status="pending",
        to=f"+{row.number}",
        sender=row.sender,
        channel="sms",
        message_id=str(row.message_id),
        parts=message.part_count,
        price=Price(format_credits(message.price_micros)),
        expires_at=format_time(row.expires_at_ms),
        attempts_left=row.most_attempts - row.attempts,
    )
