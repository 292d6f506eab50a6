"""Who wants nothing more: by account, for every class but the spared ones, and taken back.

What must not enter: rows (tests/gateway/inbound), words.
"""

from __future__ import annotations

from gateway.accept.fact_book import FactBook
from gateway.accept.opt_outs import OUR_OWN, OptOuts
from gateway.accept.refusals import Refusal
from gateway.accept.rules import AcceptPolicy, admit, no_longer_permitted
from gateway.message import Message
from gateway.storage.inbound import OptOutChange
from tests.gateway.accept.facts_at_hand import rows, submission

HANDSET = "2290197000001"


def test_an_opt_out_stops_every_class_but_otp_of_that_account_alone() -> None:
    opt_outs = OptOuts()
    opt_outs.change(1, HANDSET, True)
    stopped = {kind: opt_outs.forbid(1, HANDSET, kind, 5) for kind in ("marketing", "transactional", "service", "otp")}
    assert stopped == {"marketing": True, "transactional": True, "service": True, "otp": False}
    assert not opt_outs.forbid(2, HANDSET, "marketing", 5)
    assert not opt_outs.forbid(1, "2290197000002", "marketing", 5)
    assert not opt_outs.forbid(1, HANDSET, "service", OUR_OWN), "the answer to STOP"


def test_coming_back_takes_it_back_and_what_is_spared_is_the_operators() -> None:
    opt_outs = OptOuts(frozenset())
    opt_outs.apply([OptOutChange(1, HANDSET, True), OptOutChange(2, HANDSET, True)])
    assert opt_outs.forbid(1, HANDSET, "otp", 5)
    opt_outs.apply([OptOutChange(1, HANDSET, False), OptOutChange(3, HANDSET, False)])
    assert not opt_outs.forbid(1, HANDSET, "otp", 5)
    assert len(opt_outs) == 1


def test_it_is_asked_at_acceptance_and_again_before_sending() -> None:
    book, opt_outs = FactBook(rows()), OptOuts()
    asked = submission()
    message = admit(asked, book, AcceptPolicy(), 1, 0, opt_outs)
    assert isinstance(message, Message)
    assert no_longer_permitted(message, book, opt_outs) is None
    opt_outs.change(message.account_id, message.destination_addr, True)
    assert admit(asked, book, AcceptPolicy(), 2, 0, opt_outs) is Refusal.DESTINATION_BLOCKED
    assert no_longer_permitted(message, book, opt_outs) is Refusal.DESTINATION_BLOCKED
