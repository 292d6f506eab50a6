"""A message that one PDU carried whole: its answer, refusal or loss is the outcome of each of its parts.

Source: gateway.connector, sentence 2; SMPP v3.4 5.3.2.32. What must not enter: cutting (test_submit_parts.py).
"""

from __future__ import annotations

import pytest

from gateway.connector import Doubtful, Rejected, Taken
from tests.eventually import eventually
from tests.gateway.egress.trunks import WITHIN_S, Open, message

TEXT = b"a" * 400


@pytest.mark.parametrize(("status", "kind"), [("", Taken), ("0x0B=1", Rejected)])
async def test_one_answer_is_the_outcome_of_every_part(trunk_to: Open, status: str, kind: type) -> None:
    trunk = await trunk_to({"error_mix": status}, long_messages="payload")
    trunk.send(message(1, TEXT, 3))
    told = await trunk.outcomes(3)
    assert [(type(e), e.part_no) for e in told] == [(kind, 0), (kind, 1), (kind, 2)]  # type: ignore[union-attr]
    assert trunk.smsc.statistics.submits == 1


async def test_a_lost_link_leaves_every_part_in_doubt(trunk_to: Open) -> None:
    trunk = await trunk_to({"silence": 1}, long_messages="payload")
    trunk.send(message(1, TEXT, 3))
    await eventually(lambda: trunk.smsc.statistics.submits == 1, WITHIN_S, "written")
    trunk.smsc.disconnect("drop")
    told = await trunk.outcomes(3)
    assert [(type(e), e.part_no) for e in told] == [(Doubtful, n) for n in range(3)]  # type: ignore[union-attr]
