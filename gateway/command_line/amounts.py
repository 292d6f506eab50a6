"""Credits as operators write them, refused in their language when they are no exact amount (promise P3).

What belongs here: the words around telecom.money.
What must not enter: arithmetic on money.
"""

from __future__ import annotations

from gateway.command_line.refusals import Refusal
from gateway.command_line.words import say
from telecom.money import MoneyRefused, format_credits
from telecom.money import parse_credits as parse_micros

__all__ = ["format_credits", "parse_credits"]


def parse_credits(text: str, least_micros: int = 0) -> int:
    """Micros of "12.5". Raises Refusal for what is no exact amount of at least `least_micros`."""
    micros = parse_micros(text)
    if isinstance(micros, MoneyRefused):
        raise Refusal(
            say("{text} is not an amount of credits", text=text),
            say("write a number with at most six digits after the point, like 1000 or 0.035"),
        )
    if micros < least_micros:
        raise Refusal(
            say("{text} credits are too few", text=text),
            say("write an amount from {least} on", least=format_credits(least_micros)),
        )
    return micros
