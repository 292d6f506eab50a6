"""`passerelle selftest smpp` as its users run it: exit codes, the report for people and for programs.

What must not enter: which answers are right (test_runner.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from simulators.smsc import SimulatedSmsc, SmscSettings
from tests.running_node import Finished, passerelle


@pytest_asyncio.fixture
async def smsc() -> AsyncIterator[SimulatedSmsc]:
    async with SimulatedSmsc(SmscSettings.parse(system_id="me", password="secret")) as smsc:
        yield smsc


async def selftest(smsc: SimulatedSmsc, *words: str, password: str = "secret") -> Finished:
    against = ("--against", f"127.0.0.1:{smsc.port}", "--system-id", "me", "--password-stdin")
    return await passerelle("selftest", "smpp", *against, *words, stdin=f"{password}\n")


async def test_what_holds_ends_with_0_and_counts(smsc: SimulatedSmsc, tmp_path: Path) -> None:
    conditions = tmp_path / "conditions.toml"
    conditions.write_text('[no_route]\ndestination = "33612345678"\n', encoding="utf-8")
    cases = ("--case", "sequence-0", "--case", "no-credit", "--case", "outcome-of-commit-unknown")
    finished = await selftest(smsc, *cases, "--octets", "--json", "--conditions", str(conditions))
    assert (finished.code, finished.err) == (0, "")
    assert finished.json["counts"] == {"held": 2, "broken": 0, "skipped": 2, "not judged yet": 2}
    assert {case["manner"] for case in finished.json["cases"]} == {"whole", "octets"}


async def test_what_is_broken_ends_with_1_and_is_told_with_its_reason(smsc: SimulatedSmsc) -> None:
    finished = await selftest(smsc, "--case", "source-ton", "--case", "no-route", "--case", "sequence-0")
    assert finished.code == 1
    assert "expected submit_sm_resp 0x48 of sequence 7" in finished.out
    assert "needs a login for the condition no_route" in finished.out
    assert finished.out.splitlines()[-1] == "1 held, 1 broken, 1 skipped, 0 not judged yet"


async def test_a_login_that_may_not_bind_judges_nothing(smsc: SimulatedSmsc) -> None:
    finished = await selftest(smsc, password="wrong")
    assert (finished.code, finished.out) == (1, "")
    assert "nothing can be judged: bind_transceiver_resp 0x0D" in finished.err


@pytest.mark.parametrize(
    ("words", "why"),
    [(("--case", "nothing"), "no case is called nothing"), (("--conditions", "/nowhere.toml"), "nowhere.toml")],
)
async def test_a_wrong_word_ends_with_2(words: tuple[str, ...], why: str, smsc: SimulatedSmsc) -> None:
    finished = await selftest(smsc, *words)
    assert finished.code == 2
    assert why in finished.err
    assert "Traceback" not in finished.err


async def test_the_cases_are_listed_with_their_needs(smsc: SimulatedSmsc) -> None:
    finished = await selftest(smsc, "--list")
    assert finished.code == 0
    assert any(line.split()[:2] == ["no-credit", "no_credit"] for line in finished.out.splitlines())
