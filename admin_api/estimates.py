"""POST /v1/messages/estimate and /v1/explain: what a message would cost, and what would become of it.

Source: gateway.accept.explanation, which asks each rule by itself and never disagrees with acceptance.
What must not enter: a rule or a price of its own; carriers' names.
"""

from __future__ import annotations

import msgspec

from admin_api.messages import network_of
from admin_api.models_messages import AskEstimate, AskExplain, Estimated, Explained, NetworkOf, Price, Variant
from admin_api.models_money import format_credits
from admin_api.problems import Problem, members, refused
from admin_api.service import Answer, Call, Service
from gateway.accept.explanation import Asked, Forecast, forecast
from gateway.accept.refusals import Refusal
from gateway.accept.rules import destination_number
from gateway.storage import api_messages
from telecom.numbers import Number
from telecom.parts import MAX_PARTS, Estimate, choose_encoding, estimate

NO_TON = 0  # SMPP v3.4 5.2.5: unknown


async def show_estimate(service: Service, call: Call) -> Answer | Problem:
    """Both prices of a text: as written, and in GSM mode."""
    asked: AskEstimate = call.body
    digits = ""
    if asked.to is not None:
        account, policy = call.caller.account, service.lifecycle.policy.accept
        digits = destination_number(account, policy, asked.to, NO_TON) or ""
        if not digits:
            return Problem("recipient_invalid")
    part_micros = service.book.price_micros(call.account_id, digits)
    written, other = estimate(asked.text), estimate(asked.text, gsm_mode=True)
    balance = await service.reader.run(lambda c: api_messages.balance(c, call.account_id))
    return Answer(
        Estimated(
            as_written=_variant(written, part_micros),
            gsm_mode=_variant(other, part_micros),
            gsm_mode_text=other.text,
            offending=list(written.offending),
            credit_left=format_credits(sum(balance)),
            affordable=written.parts * part_micros <= sum(balance),
            network=network_of(service, digits) if digits else None,
        )
    )


def _variant(found: Estimate, part_micros: int) -> Variant:
    return Variant(
        encoding=found.alphabet,
        parts=found.parts,
        characters_free=found.units_free,
        sendable=found.sendable and found.parts <= MAX_PARTS,
        price=Price(format_credits(found.parts * part_micros)),
    )


async def show_explanation(service: Service, call: Call) -> Answer | Problem:
    """Every rule's answer to a message that nobody sends."""
    asked: AskExplain = call.body
    balance_micros, credit_limit_micros = await service.reader.run(lambda c: api_messages.balance(c, call.account_id))
    traffic_class = asked.traffic_class or call.caller.key.traffic_class
    account = msgspec.structs.replace(
        call.caller.account, balance_micros=balance_micros, credit_limit_micros=credit_limit_micros
    )
    life = service.lifecycle
    found = forecast(
        Asked(account, asked.sender, asked.to, asked.text, traffic_class, call.now_ms),
        service.rows,
        service.book,
        life.policy.accept,
        life.health,
        life.opt_outs,
    )
    return Answer(_explained(service, call, asked, found))


def _explained(service: Service, call: Call, asked: AskExplain, found: Forecast) -> Explained:
    number = found.number if isinstance(found.number, Number) else None
    network = found.network
    numeric = asked.sender.removeprefix("+").isdecimal()
    owned = (call.account_id, asked.sender.casefold()) in service.book.senders
    permitted = owned and found.refusal is not Refusal.SENDER_NOT_OWNED  # it may be approved for other countries
    problem = None if found.refusal is None else members(refused(found.refusal), call.language)
    return Explained(
        accepted=found.refusal is None,
        number=None if number is None else f"+{number.e164}",
        country=None if number is None else number.region,
        number_changed_from=None if number is None else number.migrated_from,
        network=None if network is None else NetworkOf(network.mcc, network.mnc, network.operator),
        opted_out=found.opted_out,
        blocked=bool(found.blocks),
        sender_approved=numeric or permitted,
        routes=0 if found.routes is None else len(found.routes.candidates),
        parts=found.text.parts,
        encoding=choose_encoding(asked.text).alphabet,
        price=Price(format_credits(found.price_micros)),
        problem=problem,
    )
