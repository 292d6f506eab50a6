"""The wall clock steps, forth and back: ids stay unique and ascending, nothing queued is forgotten, validity is kept.

Source: architecture 5 (validity on the wall clock, timers on the monotonic one); promises P1, P5. The node's own hook
(gateway/wall_clock.py) steps it: the machine's clock is others', too.
What must not enter: leases (the database's clock).
"""

from __future__ import annotations

from pathlib import Path

from gateway.wall_clock import STEP
from tests.eventually import eventually
from tests.faults.road import Road, road

HOUR_S = 3600
DAY_S = 24 * HOUR_S
CLIENT = {"rate": 100, "messages": 0, "window": 10, "reconnect": True, "resend": True, "retry": True}
HABITS = {"latency_ms": "0..20", "receipt_delay_ms": "0..500"}


class Clock:
    """The step of a node's clock; seconds from the machine's."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "clock"
        self.environment = {"PASSERELLE_CLOCK_STEP": str(self._path)}
        self._path.write_bytes(STEP.pack(0))

    def step(self, seconds: float) -> None:
        """From now on the clock is so far ahead of the machine's (negative: behind)."""
        with self._path.open("r+b") as file:
            file.write(STEP.pack(int(seconds * 1000)))


async def _swept(way: Road, ahead_s: float) -> None:
    """Wait until the node told of itself at the new time: marks and sweeps moved with the clock."""
    ours_ms = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint + $1::bigint"
    sql = f"SELECT abs(swept_until_ms - ({ours_ms})) < 60000 FROM nodes"

    async def is_told() -> bool:
        return bool(await way.value(sql, int(ahead_s * 1000)))

    await eventually(is_told, 30, f"a sweep {ahead_s:g} s from the machine's clock")


async def test_ids_ascend_and_service_goes_on_while_the_clock_steps(empty_database: str, tmp_path: Path) -> None:
    clock = Clock(tmp_path)
    async with road(tmp_path, empty_database, smsc=HABITS, start=False) as way:
        await way.node.start(clock.environment)
        async with way.esme(**CLIENT) as esme:
            for seconds in (HOUR_S, -HOUR_S, 10 * DAY_S, 0.0):
                await way.goes_on(esme, 30, "the last step of the clock", messages=50)
                clock.step(seconds)
            await way.goes_on(esme, 30, "the last step of the clock", messages=50)
            esme.workload.stop()
            await way.quiet(60)
            await way.prove()
        total = await way.value("SELECT count(*) FROM messages")
        assert await way.value("SELECT count(DISTINCT message_id) FROM messages") == total
        assert (await way.states()) == {"delivered": total}, "nothing expired by a step back"


async def test_what_queues_after_a_step_back_is_found_by_the_next_life(empty_database: str, tmp_path: Path) -> None:
    clock = Clock(tmp_path)
    async with road(tmp_path, empty_database, start=False) as way:
        await way.node.start(clock.environment)
        clock.step(DAY_S)
        await _swept(way, DAY_S)  # the marks of queues are a day ahead, and nothing was accepted then
        clock.step(0)
        await way.carrier.leave()
        async with way.esme(messages=50) as esme:
            assert (await esme.finish()).accepted == 50
        await way.node.kill()
        await way.carrier.arrive()
        await way.node.start(clock.environment)
        async with way.esme(bind_type="receiver"):
            await way.quiet(40)
        assert await way.states() == {"delivered": 50}
        await way.prove()


async def test_validity_is_honoured_after_a_step_forth_and_back(empty_database: str, tmp_path: Path) -> None:
    clock = Clock(tmp_path)
    async with road(tmp_path, empty_database, start=False) as way:
        await way.node.start(clock.environment)
        await way.carrier.leave()
        async with way.esme(messages=5, registered_delivery=0) as esme:
            assert (await esme.finish()).accepted == 5
        clock.step(DAY_S)  # of the two days that messages are valid where nobody says
        await _swept(way, DAY_S)
        clock.step(0)
        async with way.esme(messages=10, validity_s=1, registered_delivery=0) as esme:
            assert (await esme.finish()).accepted == 10

        async def is_expired() -> bool:
            return await way.states() == {"expired": 10, "queued": 5}

        await eventually(is_expired, 40, "ends of validity are seen, and no other's")
        await way.carrier.arrive()
        await way.quiet()
        assert await way.states() == {"expired": 10, "delivered": 5}
        await way.prove()
