"""Every refusal has a status, and the peer treats that status rightly: temporary ones are retried, others are not.

smpp-answers, head and "As a server"; SMPP v3.4 5.1.3. What must not enter: when a refusal applies.
"""

from __future__ import annotations

import pytest

from gateway.accept.refusals import Refusal
from gateway.ingress.smpp_refusals import STATUS_OF, status_of

TEMPORARY = {0x08, 0x14, 0x58, 0x64}
EXPECTED = {
    Refusal.SOURCE_INVALID: 0x0A,
    Refusal.SENDER_NOT_OWNED: 0x0A,
    Refusal.SENDER_REFUSED: 0x0A,
    Refusal.DESTINATION_INVALID: 0x0B,
    Refusal.TLV_LENGTH: 0xC2,
    Refusal.TLV_VALUE: 0xC4,
    Refusal.NO_ROUTE: 0x0B,
    Refusal.DATA_CODING_UNSUPPORTED: 0x45,
    Refusal.MESSAGE_LENGTH: 0x01,
    Refusal.TOO_MANY_PARTS: 0x01,
    Refusal.SCHEDULE_INVALID: 0x61,
    Refusal.VALIDITY_INVALID: 0x62,
    Refusal.RATE_EXCEEDED: 0x58,
    Refusal.WINDOW_EXCEEDED: 0x58,
    Refusal.QUEUE_FULL: 0x14,
    Refusal.DISK_FULL: 0x14,
    Refusal.DATABASE_AWAY: 0x08,
    Refusal.DRAINING: 0x08,
    Refusal.NO_CREDIT: 0x0400,
    Refusal.ACCOUNT_SUSPENDED: 0x0401,
    Refusal.DESTINATION_BLOCKED: 0x0402,
    Refusal.DAY_LIMIT: 0x0403,
}


def test_the_table_is_whole() -> None:
    assert set(STATUS_OF) == set(EXPECTED) == set(Refusal)


@pytest.mark.parametrize("refusal", Refusal)
def test_a_refusal_has_the_status_of_the_answers_page(refusal: Refusal) -> None:
    assert status_of(refusal, masked=False) == EXPECTED[refusal]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("refusal", Refusal)
def test_temporary_conditions_and_only_they_have_a_temporary_status(refusal: Refusal, masked: bool) -> None:
    assert (status_of(refusal, masked) in TEMPORARY) == refusal.temporary


def test_vendor_statuses_are_masked_on_request_and_nothing_else_is() -> None:
    for refusal in Refusal:
        plain, masked = status_of(refusal, masked=False), status_of(refusal, masked=True)
        assert masked == (0x45 if 0x0400 <= plain <= 0x04FF else plain)


def test_a_v5_bind_hears_of_a_data_coding_by_its_own_status() -> None:
    assert status_of(Refusal.DATA_CODING_UNSUPPORTED, masked=False, interface_version=0x50) == 0x104
    assert status_of(Refusal.DATA_CODING_UNSUPPORTED, masked=False, interface_version=0x34) == 0x45
    assert status_of(Refusal.NO_CREDIT, masked=True, interface_version=0x50) == 0x45
