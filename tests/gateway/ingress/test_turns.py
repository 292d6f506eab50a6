"""One at a time, and lanes take turns: proven by the order of completion.

Promise P7. What must not enter: how long anything takes.
"""

from __future__ import annotations

import asyncio

import pytest

from gateway.ingress import turns as room
from gateway.ingress.turns import Turns


async def take(turns: Turns, lane: str, done: list[str], gate: asyncio.Event | None = None, login: str = "") -> None:
    async with turns.of(lane, login or lane):
        if gate is not None:
            await gate.wait()
        done.append(lane)


async def test_a_lane_that_asks_often_waits_behind_itself() -> None:
    turns, done, gate = Turns(), [], asyncio.Event()  # type: ignore[var-annotated]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(take(turns, "flood", done, gate))
        for _ in range(50):
            tasks.create_task(take(turns, "flood", done))
        await asyncio.sleep(0)
        tasks.create_task(take(turns, "honest", done))
        tasks.create_task(take(turns, "other", done))
        await asyncio.sleep(0)
        gate.set()
    assert {"honest", "other"} <= set(done[:4])
    assert done.count("flood") == 51


async def test_a_login_that_is_asked_for_from_everywhere_keeps_no_other_login_waiting() -> None:
    turns, done, gate = Turns(), [], asyncio.Event()  # type: ignore[var-annotated]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(take(turns, "192.0.2.0", done, gate, "attacked"))
        for number in range(1, 100):
            tasks.create_task(take(turns, f"192.0.2.{number}", done, login="attacked"))
        await asyncio.sleep(0)
        tasks.create_task(take(turns, "honest", done, login="other"))
        tasks.create_task(take(turns, "another", done, login="third"))
        await asyncio.sleep(0)
        gate.set()
    assert {"honest", "another"} <= set(done[:5])
    assert len(done) == 102


async def test_names_that_are_always_new_keep_nobody_waiting_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SERVED_LIMIT", 30)
    turns, done, gate = Turns(), [], asyncio.Event()  # type: ignore[var-annotated]

    async def ask_on(number: int) -> None:
        """From a new address, in a new name; the next one waits before this one is done."""
        async with turns.of(number, f"name{number}"):
            await gate.wait()
            done.append(str(number))
            if number < 400:
                tasks.create_task(ask_on(number + 2))
                await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(take(turns, "elsewhere", done, gate, "honest"))
        for number in range(2):
            tasks.create_task(ask_on(number))
        await asyncio.sleep(0)
        tasks.create_task(take(turns, "customer", done, login="honest"))
        await asyncio.sleep(0)
        gate.set()
    assert done.index("customer") <= 5
    assert len(turns._served) <= 30


async def test_only_one_holds_a_turn() -> None:
    turns, inside = Turns(), 0

    async def enter(lane: str) -> None:
        nonlocal inside
        async with turns.of(lane, lane):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0)
            inside -= 1

    async with asyncio.TaskGroup() as tasks:
        for number in range(30):
            tasks.create_task(enter(str(number % 3)))
    assert inside == 0


@pytest.mark.parametrize("already_called", [False, True])
async def test_who_goes_away_while_waiting_holds_up_nobody(already_called: bool) -> None:
    turns, done, gate = Turns(), [], asyncio.Event()  # type: ignore[var-annotated]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(take(turns, "first", done, gate))
        await asyncio.sleep(0)
        gone = tasks.create_task(take(turns, "gone", done))
        tasks.create_task(take(turns, "last", done))
        await asyncio.sleep(0)
        if already_called:
            gate.set()
            while not done:
                await asyncio.sleep(0)
        gone.cancel()
        gate.set()
    assert done == ["first", "last"]
    await take(turns, "afterwards", done)
    assert done[-1] == "afterwards"
