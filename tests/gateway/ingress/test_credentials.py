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
from gateway.storage.facts import EsmeRow
from tests.gateway.accept.facts_at_hand import ROWS

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def login(password: str, **given: object) -> EsmeRow:
    return msgspec.structs.replace(ROWS.esmes[0], password_hash=CHEAP.hash(password), **given)


@pytest.fixture
def credentials() -> Iterator[Credentials]:
    opened = Credentials()
    yield opened
    opened.close()


async def test_a_right_password_is_proven_once_and_known_afterwards(credentials: Credentials) -> None:
    esme = login("secret")
    assert credentials.known(esme, "secret") is None
    assert await credentials.prove(esme, "secret")
    assert credentials.known(esme, "secret") is True


async def test_a_wrong_password_is_neither_proven_nor_known_even_after_the_right_one(credentials: Credentials) -> None:
    esme = login("secret")
    await credentials.prove(esme, "secret")
    assert credentials.known(esme, "Secret") is None
    assert not await credentials.prove(esme, "Secret")
    assert credentials.known(esme, "Secret") is None


async def test_an_unknown_name_is_refused_after_a_real_comparison(
    credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []
    verify = Credentials._verify

    def listening(self: Credentials, stored: str, password: str) -> bool:
        compared.append(stored)
        return verify(self, stored, password)

    monkeypatch.setattr(Credentials, "_verify", listening)
    assert credentials.known(None, "secret") is None
    assert not await credentials.prove(None, "secret")
    assert len(compared) == 1
    assert compared[0].startswith("$argon2id$")


async def test_a_changed_password_ends_what_was_known(credentials: Credentials) -> None:
    await credentials.prove(login("old"), "old")
    changed = login("new")
    assert credentials.known(changed, "old") is None
    assert not await credentials.prove(changed, "old")
    assert await credentials.prove(changed, "new")


async def test_a_hash_that_is_none_lets_nobody_in(credentials: Credentials) -> None:
    assert not await credentials.prove(ROWS.esmes[0], "no hash")


async def test_passwords_that_differ_outside_latin_1_are_told_apart(credentials: Credentials) -> None:
    esme = login("a?")
    await credentials.prove(esme, "a?")
    assert credentials.known(esme, "a\u20ac") is None


async def test_another_process_knows_nothing(credentials: Credentials) -> None:
    esme = login("secret")
    await credentials.prove(esme, "secret")
    other = Credentials()
    assert other.known(esme, "secret") is None
    other.close()


async def test_what_is_remembered_has_a_limit(credentials: Credentials, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "REMEMBERED_LIMIT", 2)
    logins = [login(f"secret{n}") for n in range(3)]
    for number, esme in enumerate(logins):
        assert await credentials.prove(esme, f"secret{number}")
    assert credentials.known(logins[2], "secret2") is True
    assert credentials.known(logins[0], "secret0") is None


async def test_all_binds_of_a_login_at_once_cost_one_proof(
    credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    esme = login("secret")
    compared: list[str] = []
    verify = argon2.PasswordHasher.verify

    def listening(self: argon2.PasswordHasher, stored: str, password: str) -> bool:
        compared.append(stored)
        return verify(self, stored, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", listening)
    async with asyncio.TaskGroup() as tasks:
        proofs = [tasks.create_task(credentials.prove(esme, "secret")) for _ in range(50)]
    assert all(proof.result() for proof in proofs)
    assert compared == [esme.password_hash]
