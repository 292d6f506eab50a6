"""POST /v1/lookups: what numbers alone tell, a thousand in one request at most.

Source: telecom.number_analysis; the gateway's own ranges are those of the facts in force, as routes ask them.
What must not enter: files (lookup_jobs.py), a question to a network: nothing is asked outside.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from admin_api.languages import Language
from admin_api.models_lookups import AskLookup, LookedUp, Lookups, MigratedFrom, NoNumber, OperatorOf
from admin_api.problems import Problem
from admin_api.service import Answer, Call, Service
from telecom.number_analysis import Analysis, Operator, analyse_number
from telecom.number_faults import sentence_of

ANALYSED_AT_ONCE: Final = 100  # chosen: a few milliseconds at most; then others of this process have their turn


async def look_up(service: Service, call: Call) -> Answer | Problem:
    """POST /v1/lookups."""
    asked: AskLookup = call.body
    given = [asked.numbers] if isinstance(asked.numbers, str) else asked.numbers
    region = country_of(service, call, asked.country)
    ask = own_operator(service)
    told: list[LookedUp] = []
    for place, number in enumerate(given):
        if place % ANALYSED_AT_ONCE == 0:
            await asyncio.sleep(0)  # messages first
        told.append(describe(analyse_number(number, default_region=region, own_operator=ask), call.language))
    valid = sum(each.valid for each in told)
    return Answer(Lookups(valid, len(told) - valid, told))


def country_of(service: Service, call: Call, wished: str | None) -> str | None:
    """Whose national numbers are meant: the request's country, the account's, the gateway's."""
    if wished is not None:
        return wished.upper()
    return call.caller.account.default_region or service.lifecycle.policy.accept.default_region


def own_operator(service: Service) -> Callable[[str], Operator | None] | None:
    """The ranges of the facts in force, as the analysis asks them."""
    networks = service.book.networks
    if networks is None:
        return None

    def ask(digits: str) -> Operator | None:
        network = networks.lookup(digits)
        return None if network is None else Operator(network.operator, network.mcc, network.mnc)

    return ask


def describe(found: Analysis, language: Language) -> LookedUp:
    """One number as customers read it."""
    if found.reason is not None:
        return LookedUp(
            given=found.given, valid=False, invalid=NoNumber(found.reason, sentence_of(found.reason, language))
        )
    operator = None
    if found.operator:
        source = "own" if found.operator_source == "own" else "plan"
        operator = OperatorOf(found.operator, source, found.portable, found.mcc or None, found.mnc or None)  # type: ignore[arg-type]  # one of the two
    migrated = None
    if found.migrated_from is not None:
        migrated = MigratedFrom(f"+{found.migrated_from}", found.migrated_since or "")
    return LookedUp(
        given=found.given,
        valid=True,
        e164=f"+{found.e164}",
        country=found.region,
        country_code=found.country_code,
        kind=found.kind,
        operator=operator,
        time_zones=list(found.time_zones),
        national=found.national,
        international=found.international,
        migrated_from=migrated,
    )
