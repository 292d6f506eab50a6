"""A forecast never disagrees with what is done: refusal, price, rate, route; and every rule answers by itself.

gateway/accept/explanation.py. What must not enter: sentences (tests/gateway/command_line/test_explain.py).
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.accept.explanation import Asked, Forecast, facts_of, forecast, pieces_of, rate_of, submission_of
from gateway.accept.fact_book import FactBook
from gateway.accept.opt_outs import OptOuts
from gateway.accept.refusals import Refusal
from gateway.accept.rules import AcceptPolicy, admit
from gateway.message import Message
from gateway.storage.facts import FactRows, NumberRangeRow
from router.choose import choose
from telecom.numbers import Number, NumberRefused
from telecom.parts import choose_encoding, count_parts, estimate
from tests.gateway.accept.facts_at_hand import HANDSET, NOW_MS, OURS, ROWS, THEIRS, block, rate, rows

CREDIT = 1_000_000
UP = {"carrier-a": "up"}


def asked(facts: FactRows = ROWS, balance: int = 100 * CREDIT, **given: Any) -> Asked:
    account = msgspec.structs.replace(facts.accounts[0], balance_micros=balance)
    fields = {"sender": "ACME", "destination": HANDSET, "text": "hello", "traffic_class": "otp", "at_ms": NOW_MS}
    return Asked(account, **{**fields, **given})


def told(facts: FactRows = ROWS, health: Any = None, opt_outs: OptOuts | None = None, **given: Any) -> Forecast:
    question = asked(facts, **given)
    return forecast(
        question, facts, FactBook(facts), AcceptPolicy(), UP if health is None else health, opt_outs or OptOuts()
    )


def test_what_passes_every_rule_would_be_accepted_and_routed() -> None:
    found = told()
    assert found.refusal is None
    assert isinstance(found.number, Number)
    assert (found.number.e164, found.text.parts, found.price_micros, found.rate) == (HANDSET, 1, CREDIT, None)
    assert found.routes is not None
    assert [each.verdict for each in found.routes.candidates] == ["chosen"]


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"sender": "NOBODY"}, Refusal.SENDER_NOT_OWNED),
        ({"destination": "12"}, Refusal.DESTINATION_INVALID),
        ({"text": "a" * 2000}, Refusal.TOO_MANY_PARTS),
        ({"balance": CREDIT - 1}, Refusal.NO_CREDIT),
        ({"facts": rows(routes=[])}, Refusal.NO_ROUTE),
        ({"facts": rows(blocks=[block("336", None)])}, Refusal.DESTINATION_BLOCKED),
    ],
)
def test_a_refusal_is_foretold_and_the_other_rules_answer_all_the_same(given: Any, refusal: Refusal) -> None:
    found = told(**given)
    assert found.refusal is refusal
    assert found.text.parts >= 1
    assert (found.routes is None) == isinstance(found.number, NumberRefused)


def test_blocks_are_named_for_whom_they_bind() -> None:
    ours, theirs, all_ = block("3361", OURS), block("3361", THEIRS), block("33", None)
    assert told(rows(blocks=[ours, theirs, all_])).blocks == (ours, all_)


def test_a_persons_stop_binds_what_customers_send_and_spares_codes() -> None:
    stopped = OptOuts()
    stopped.change(OURS, HANDSET, opted_out=True)
    assert told(opt_outs=stopped, traffic_class="marketing").refusal is Refusal.DESTINATION_BLOCKED
    assert told(opt_outs=stopped, traffic_class="marketing").opted_out
    assert told(opt_outs=stopped, traffic_class="otp").refusal is None


def test_a_network_is_told_from_the_ranges() -> None:
    found = told(rows(number_ranges=[NumberRangeRow("336", "208", "01", "Orange")])).network
    assert found is not None
    assert (found.mcc, found.mnc) == ("208", "01")


RATES = st.lists(
    st.builds(rate, st.sampled_from(("*", "3", "33", "336", "229")), st.integers(0, 9), st.sampled_from((None, 1, 2))),
    unique_by=lambda each: (each.prefix, each.account_id),
)


@given(RATES, st.sampled_from((HANDSET, "22901970000", "447700900000")))
def test_the_rate_shown_is_the_one_that_prices(rates: list[Any], digits: str) -> None:
    found = rate_of(rates, OURS, digits)
    price = FactBook(rows(rates=rates)).price_micros(OURS, digits)
    assert price == (CREDIT if found is None else found.price_micros)


TEXTS = st.text(alphabet=st.sampled_from("abc é€[ç\N{GRINNING FACE}"), max_size=700)


@given(TEXTS)
def test_the_pieces_are_the_text_and_as_many_as_its_parts(text: str) -> None:
    found = estimate(text)
    if not found.sendable:
        return
    pieces = pieces_of(text, found.encoding)
    assert "".join(pieces) == text
    assert len(pieces) == found.parts
    assert all(len(pieces) == 1 or estimate(piece).parts == 1 for piece in pieces)


@given(TEXTS, st.sampled_from(("ACME", "NOBODY", "12345")), st.sampled_from((HANDSET, "12", "0612345678")))
def test_a_forecast_is_what_acceptance_and_routing_do(text: str, sender: str, to: str) -> None:
    book, question = FactBook(ROWS), asked(text=text, sender=sender, destination=to)
    found = told(text=text, sender=sender, destination=to)
    submission = submission_of(question, choose_encoding(text))
    done = admit(submission, book, AcceptPolicy(), 1, NOW_MS)
    assert found.refusal == (done if isinstance(done, Refusal) else None)
    if isinstance(done, Message):
        assert found.price_micros == done.price_micros
        assert count_parts(done.user_data, done.data_coding, False) == found.text.parts == done.part_count
        assert found.routes is not None
        assert found.routes.outcome == choose(facts_of(question, done.destination_addr, book), book.routes, UP)
