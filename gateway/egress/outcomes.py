"""A carrier's refusal of one part as the outcome that the lifecycle is told: again when, elsewhere, or never.

Source: smpp-answers, "As a client"; rows are gateway.egress.answers. Pure: a message's tries and dialect are its own.
What must not enter: pace, links, counting (smpp_connector.py).
"""

from __future__ import annotations

from gateway.connector import Rejected, TryLater
from gateway.egress.answers import AnswerRule
from gateway.egress.profile import OTHER_ADDRESS, WANTED_SHIFT, WITHOUT_VALIDITY, CarrierProfile
from gateway.message import Message


def write_as_wanted(message: Message) -> None:
    """A writing begins: what was wanted holds."""
    message.dialect |= message.dialect >> WANTED_SHIFT


def outcome_of(
    rule: AnswerRule, message: Message, part_no: int, why: str, profile: CarrierProfile
) -> TryLater | Rejected:
    """What a refused part comes to."""
    if rule.kind in ("throttle", "link"):
        return TryLater(message, part_no, 0, why)  # not an attempt: the message is untouched
    tried = max(1, message.attempt_count)
    if rule.kind == "queue_full":  # not an attempt: as long as the message is valid
        return TryLater(message, part_no, rule.pauses_s[min(tried, len(rule.pauses_s)) - 1], why)
    if _may_change(rule, message, profile):
        return TryLater(message, part_no, 0, f"{why}: once more, written otherwise")
    if tried <= len(rule.pauses_s):
        return TryLater(message, part_no, rule.pauses_s[tried - 1], why)
    elsewhere = (
        rule.elsewhere == "yes"
        or (rule.elsewhere == "once" and not message.refused_by)
        or (rule.elsewhere == "class" and message.traffic_class in profile.second_route_classes)
    )
    return Rejected(message, part_no, why, elsewhere, rule.last_pause_s, rule.kind == "sender")


def _may_change(rule: AnswerRule, message: Message, profile: CarrierProfile) -> bool:
    """Whether the message can be written otherwise to this carrier, and was not yet; from its next writing on it is."""
    if rule.kind == "address" and profile.other_destination != (profile.destination_ton, profile.destination_npi):
        change = OTHER_ADDRESS
    elif rule.kind == "value" and profile.send_validity:
        change = WITHOUT_VALIDITY
    else:
        return False
    if message.dialect & change:
        return False
    message.dialect |= change << WANTED_SHIFT
    return True
