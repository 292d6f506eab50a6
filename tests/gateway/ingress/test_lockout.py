"""Wrong words wait longer and longer, where they come from, and nowhere else.

smpp-answers (equal time); promise P7. Pure: time is a number. What must not enter: passwords.
"""

from __future__ import annotations

import pytest

from gateway.ingress import lockout as room
from gateway.ingress.lockout import FORGET_S, FREE_PAIR, FREE_SOURCE, LAST_DELAY_S, Lockout, source_of

HERE, THERE = "192.0.2.1", "198.51.100.9"


def fail(lockout: Lockout, source: str, system_id: str, times: int, now: float = 0.0) -> list[float]:
    return [lockout.failed(source, system_id, now) for _ in range(times)]


def test_the_delay_of_one_login_from_one_address_doubles_up_to_its_end() -> None:
    delays = fail(Lockout(), HERE, "acme", FREE_PAIR + 9)
    assert delays == [0.0] * FREE_PAIR + [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, LAST_DELAY_S, LAST_DELAY_S, LAST_DELAY_S]


def test_who_would_wait_is_known_before() -> None:
    lockout = Lockout()
    for now in range(FREE_SOURCE + 3):
        slowed = lockout.is_slowed(HERE, "acme", float(now))
        assert (lockout.failed(HERE, "acme", float(now)) > 0) == slowed
    assert not lockout.is_slowed(THERE, "acme", 0.0)
    assert lockout.is_slowed(HERE, "never heard of", 30.0), "by its address"
    lockout.succeeded(HERE, "other")
    assert not lockout.is_slowed(HERE, "other", 30.0)
    assert not lockout.is_slowed(HERE, "acme", 30.0 + FORGET_S)


def test_many_names_from_one_address_are_slowed_together() -> None:
    lockout = Lockout()
    delays = [lockout.failed(HERE, f"name{n}", 0.0) for n in range(FREE_SOURCE + 3)]
    assert delays == [0.0] * FREE_SOURCE + [1.0, 2.0, 4.0]


def test_failures_in_a_name_from_elsewhere_do_not_count() -> None:
    lockout = Lockout()
    fail(lockout, THERE, "acme", 1000)
    assert lockout.failed(HERE, "acme", 0.0) == 0.0


def test_a_login_that_bound_from_an_address_is_not_slowed_by_its_neighbours_there() -> None:
    lockout = Lockout()
    lockout.succeeded(HERE, "acme")
    fail(lockout, HERE, "other", 1000)
    assert fail(lockout, HERE, "acme", FREE_PAIR + 1) == [0.0] * FREE_PAIR + [1.0], "by its own failures only"
    assert lockout.lane(HERE, "acme") != lockout.lane(HERE, "other")
    assert lockout.lane(THERE, "acme") == lockout.lane(THERE, "other")


def test_success_forgets_the_failures_of_the_pair() -> None:
    lockout = Lockout()
    fail(lockout, HERE, "acme", 8)
    lockout.succeeded(HERE, "acme")
    assert lockout.failed(HERE, "acme", 0.0) == 0.0


def test_after_a_while_without_failure_an_address_starts_anew() -> None:
    lockout = Lockout()
    fail(lockout, HERE, "acme", 8)
    assert lockout.failed(HERE, "acme", FORGET_S) > 0
    assert lockout.failed(HERE, "acme", 2 * FORGET_S + 0.1) == 0.0


def test_what_is_remembered_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "REMEMBERED_LIMIT", 10)
    lockout = Lockout()
    for number in range(100):
        lockout.failed(f"192.0.2.{number}", "acme", 0.0)
        lockout.succeeded(f"192.0.2.{number}", f"login{number}")
    assert len(lockout._failures) == 10
    assert len(lockout._trusted) == 10


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_a_source_is_an_address_or_a_sites_prefix(address: str, source: str) -> None:
    assert source_of(address) == source
