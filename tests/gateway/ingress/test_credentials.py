"""Passwords: argon2id once, a keyed hash afterwards; a wrong name costs what a wrong word costs.

defaults.md, Operations. Real argon2 with its default cost. What must not enter: what a login may do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import argon2
import msgspec
import pytest

from gateway.ingress import credentials as room
from gateway.ingress.credentials import Credentials
from gateway.ingress.password_process import PasswordProcess
from gateway.storage.facts import EsmeRow
from tests.gateway.accept.facts_at_hand import ROWS

NOW_MS = 1_000_000
CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def login(password: str, **given: object) -> EsmeRow:
    return msgspec.structs.replace(ROWS.esmes[0], password_hash=CHEAP.hash(password), **given)


class Asked(list[list[str]]):
    """The stored hashes of each question that the process was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        first_match = PasswordProcess.first_match

        def listening(process: PasswordProcess, password: bytes, stored: list[str]) -> int:
            self.append(stored)
            return first_match(process, password, stored)

        monkeypatch.setattr(PasswordProcess, "first_match", listening)


@pytest.fixture
def credentials() -> Iterator[Credentials]:
    opened = Credentials()
    yield opened
    opened.close()


async def test_a_right_password_is_proven_once_and_known_afterwards(credentials: Credentials) -> None:
    esme = login("secret")
    assert credentials.known(esme, "secret", NOW_MS) is None
    assert await credentials.prove(esme, "secret", NOW_MS)
    assert credentials.known(esme, "secret", NOW_MS) == esme.password_hash


async def test_a_wrong_password_is_neither_proven_nor_known_even_after_the_right_one(credentials: Credentials) -> None:
    esme = login("secret")
    await credentials.prove(esme, "secret", NOW_MS)
    assert credentials.known(esme, "Secret", NOW_MS) is None
    assert not await credentials.prove(esme, "Secret", NOW_MS)
    assert credentials.known(esme, "Secret", NOW_MS) is None


async def test_whoever_is_wrong_costs_the_same_hashes(
    credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(monkeypatch)
    rotating = login("new", former_password_hash=CHEAP.hash("old"), former_until_ms=NOW_MS + 1)
    for esme in (None, login("right"), rotating):
        assert await credentials.prove(esme, "wrong", NOW_MS) is None
    assert [len(stored) for stored in asked] == [2, 2, 2]
    as_stored = argon2.extract_parameters(argon2.PasswordHasher().hash("x"))
    assert argon2.extract_parameters(asked[0][0]) == as_stored, "the same work as for what `passerelle esme add` stores"


async def test_in_rotation_both_words_are_right_until_the_grace_ends(credentials: Credentials) -> None:
    esme = login("new", former_password_hash=CHEAP.hash("old"), former_until_ms=NOW_MS)
    for password, stored in (("new", esme.password_hash), ("old", esme.former_password_hash)):
        assert await credentials.prove(esme, password, NOW_MS - 1) == stored
        assert credentials.known(esme, password, NOW_MS - 1) == stored
    assert credentials.known(esme, "old", NOW_MS) is None
    assert await credentials.prove(esme, "old", NOW_MS) is None
    assert credentials.known(esme, "new", NOW_MS) == esme.password_hash


async def test_a_changed_password_ends_what_was_known(credentials: Credentials) -> None:
    await credentials.prove(login("old"), "old", NOW_MS)
    changed = login("new")
    assert credentials.known(changed, "old", NOW_MS) is None
    assert not await credentials.prove(changed, "old", NOW_MS)
    assert await credentials.prove(changed, "new", NOW_MS)


async def test_a_hash_that_is_none_lets_nobody_in(credentials: Credentials) -> None:
    assert not await credentials.prove(ROWS.esmes[0], "no hash", NOW_MS)


async def test_passwords_that_differ_outside_latin_1_are_told_apart(credentials: Credentials) -> None:
    esme = login("a?")
    await credentials.prove(esme, "a?", NOW_MS)
    assert credentials.known(esme, "a\u20ac", NOW_MS) is None


async def test_another_process_knows_nothing(credentials: Credentials) -> None:
    esme = login("secret")
    await credentials.prove(esme, "secret", NOW_MS)
    other = Credentials()
    assert other.known(esme, "secret", NOW_MS) is None
    other.close()


async def test_what_is_remembered_has_a_limit(credentials: Credentials, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "REMEMBERED_LIMIT", 2)
    logins = [login(f"secret{n}") for n in range(3)]
    for number, esme in enumerate(logins):
        assert await credentials.prove(esme, f"secret{number}", NOW_MS)
    assert credentials.known(logins[2], "secret2", NOW_MS) == logins[2].password_hash
    assert credentials.known(logins[0], "secret0", NOW_MS) is None


async def test_all_binds_of_a_login_at_once_cost_one_proof(
    credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    esme = login("secret")
    asked = Asked(monkeypatch)
    async with asyncio.TaskGroup() as tasks:
        proofs = [tasks.create_task(credentials.prove(esme, "secret", NOW_MS)) for _ in range(50)]
    assert all(proof.result() for proof in proofs)
    assert len(asked) == 1
