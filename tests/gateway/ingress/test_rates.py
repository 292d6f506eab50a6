"""How fast an account may submit: a second, a minute, a day; over all its logins, and across a restart.

smpp-answers (over the account's rate). What must not enter: the token bucket itself (test_pace.py).
"""

from __future__ import annotations

from gateway.ingress.rates import DAY_MS
from gateway.storage import logins
from tests.gateway.conftest import Clock, Ground
from tests.gateway.ingress.conftest import HASH, Door, open_door
from tests.gateway.raw_peer import RawPeer, submit


async def statuses(peer: RawPeer, count: int) -> list[int]:
    """What so many submissions are answered, sorted."""
    peer.write(*[submit(registered_delivery=0) for _ in range(count)])
    return sorted([(await peer.read()).command_status for _ in range(count)])


async def limit(door: Door, tps: int = 0, per_minute: int = 0, per_day: int = 0) -> None:
    await logins.set_account_rates(door.ground.connection, door.ground.account_id, tps, per_minute, per_day)
    await door.take_facts()


def at_noon(clock: Clock) -> None:
    clock.ms = clock.ms // DAY_MS * DAY_MS + DAY_MS // 2


async def test_the_accounts_rate_a_second_holds_over_all_its_logins(door: Door) -> None:
    await door.ground.add_esme("ours2", HASH)
    await limit(door, tps=3)
    async with door.peer(bound=True) as one, door.peer() as other:
        assert await other.bind(system_id="ours2") == 0
        assert await statuses(one, 2) == [0, 0]
        assert (await statuses(other, 9))[-1] == 0x58, "nine of both in one instant"


async def test_a_minutes_limit_is_temporary(door: Door) -> None:
    await limit(door, per_minute=10)
    async with door.peer(bound=True) as peer:
        answers = await statuses(peer, 21)
        assert set(answers) == {0, 0x58}
        assert answers.count(0) in (10, 20), "twenty when the minute ended meanwhile"


async def test_a_days_limit_is_permanent_until_the_next_day_and_masked_on_request(door: Door) -> None:
    at_noon(door.ground.clock)
    await limit(door, per_day=3)
    async with door.peer(bound=True) as peer:
        assert await statuses(peer, 5) == [0, 0, 0, 0x403, 0x403]
        await door.change("UPDATE accounts SET masked_refusals = true")
        assert await statuses(peer, 1) == [0x45]
        door.ground.clock.pass_s(86_400)
        assert await statuses(peer, 1) == [0]


async def test_what_is_refused_for_want_of_credit_does_not_count(door: Door) -> None:
    at_noon(door.ground.clock)
    await limit(door, per_day=3)
    async with door.peer(bound=True) as peer:
        await door.change("UPDATE accounts SET balance_micros = 0")
        for _ in range(4):
            assert await statuses(peer, 1) == [0x400]


async def test_a_day_goes_on_after_a_restart(ground: Ground) -> None:
    at_noon(ground.clock)
    async with open_door(ground) as door:
        await limit(door, per_day=3)
        async with door.peer(bound=True) as peer:
            assert await statuses(peer, 2) == [0, 0]
    async with open_door(ground) as door:
        day = door.ground.clock() // DAY_MS * DAY_MS
        limited = door.server.rates.limited_by_day()
        door.server.rates.counted(await logins.parts_since(ground.connection, limited, day << 20), 0.0)
        async with door.peer(bound=True) as peer:
            assert await statuses(peer, 2) == [0, 0x403]


async def test_a_lifted_limit_lets_everything_pass(door: Door) -> None:
    at_noon(door.ground.clock)
    await limit(door, per_day=1)
    async with door.peer(bound=True) as peer:
        assert await statuses(peer, 2) == [0, 0x403]
        await limit(door)
        assert await statuses(peer, 5) == [0] * 5
