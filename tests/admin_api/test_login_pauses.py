"""Pauses after wrong logins: growing, forgotten, and nobody's but his whose address fails."""

from __future__ import annotations

from admin_api.login_pauses import LoginPauses
from gateway.ingress.lockout import FORGET_S, FREE_PAIR, FREE_SOURCE, LAST_DELAY_S, REMEMBERED_LIMIT

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def test_pauses_double_up_to_their_end() -> None:
    pauses, now, waits = LoginPauses(), 0.0, []
    for _ in range(FREE_PAIR + 8):
        wait_s = pauses.begin(HERE, "ann", now)
        waits.append(wait_s)
        now += wait_s
        if wait_s:
            assert pauses.begin(HERE, "ann", now) == 0.0
    assert waits == [0.0] * (FREE_PAIR + 1) + [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, LAST_DELAY_S]


def test_tries_that_are_not_proven_yet_count() -> None:
    pauses = LoginPauses()
    assert [pauses.begin(HERE, "ann", 0.0) for _ in range(FREE_PAIR + 3)][-2:] == [1.0, 1.0]


def test_nobody_is_slowed_by_failures_elsewhere_in_his_name() -> None:
    pauses = LoginPauses()
    for _ in range(50):
        pauses.begin(HERE, "ann", 0.0)
    assert pauses.begin(HERE, "ann", 0.0) > 0.0
    assert pauses.begin(ELSEWHERE, "ann", 0.0) == 0.0


def test_an_address_that_tries_many_names_waits_but_not_who_signed_in_there() -> None:
    pauses = LoginPauses()
    pauses.begin(HERE, "bob", 0.0)
    pauses.succeeded(HERE, "bob", 0.0)
    for number in range(FREE_SOURCE + 1):
        assert pauses.begin(HERE, f"name{number}", 0.0) == 0.0
    assert pauses.begin(HERE, "another", 0.0) > 0.0
    assert pauses.begin(HERE, "bob", 0.0) == 0.0


def test_what_proves_nothing_forgives_one_try_and_success_all_of_them() -> None:
    pauses = LoginPauses()
    for _ in range(10):
        assert pauses.begin(HERE, "ann", 0.0) == 0.0
        pauses.forgive(HERE, "ann", 0.0)
    for _ in range(FREE_PAIR + 1):
        pauses.begin(HERE, "ann", 0.0)
    assert pauses.begin(HERE, "ann", 0.5) > 0.0
    pauses.succeeded(HERE, "ann", 1.0)
    assert [pauses.begin(HERE, "ann", 1.0) for _ in range(FREE_PAIR + 1)] == [0.0] * (FREE_PAIR + 1)


def test_failures_are_forgotten_in_time_and_in_number() -> None:
    pauses = LoginPauses()
    for _ in range(FREE_PAIR + 1):
        pauses.begin(HERE, "ann", 0.0)
    assert pauses.begin(HERE, "ann", FORGET_S + 1) == 0.0
    for number in range(REMEMBERED_LIMIT + 10):
        pauses.begin(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", "x", 0.0)
    assert len(pauses._wrong) == REMEMBERED_LIMIT
