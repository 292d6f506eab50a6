"""Each rule can fail: a bad sample is told with its line, a good one is let through.

What must not enter: the tree itself (test_tidy.py).
"""

from __future__ import annotations

import pytest

from tests.tidy import rules

GOOD_HEAD = '"""What belongs here.\n\nThe paragraph.\nWhat must not enter.\n"""\n'


def test_head_is_asked_for() -> None:
    assert rules.head("x = 1\n")[0].startswith("1: no file head")
    assert "has 1 lines" in rules.head('"""Too short."""\n')[0]
    assert "has 9 lines" in rules.head('"""' + "line\n" * 9 + '"""\n')[0]
    assert rules.head(GOOD_HEAD) == []
    assert rules.head("\n") == []


@pytest.mark.parametrize(
    "line",
    [
        "class SessionManager: ...",
        "def handle_pdu(): ...",
        "def _process_batch(): ...",
        "async def do_it(): ...",
        "def send(helper): ...",
        "utils = 1",
        "class BaseConnector: ...",
        "self_ = 1; self_.pdu_handler = 2",
    ],
)
def test_empty_names_are_told(line: str) -> None:
    assert len(rules.names(line)) == 1


@pytest.mark.parametrize(
    "line", ["database = 1", "def undo(): ...", "process = 1", "class Submission: ...", "x.handle()"]
)
def test_good_names_pass(line: str) -> None:
    assert rules.names(line) == []


def test_length_counts_the_body_without_its_docstring() -> None:
    source = (
        'class A:\n    def f(self):\n        """Says.\n\n        More.\n        """\n        a = 1\n        return a\n'
    )
    assert rules.function_lengths(source) == {"A.f": 2}


@pytest.mark.parametrize(
    "call",
    ["asyncio.create_task(x())", "asyncio.ensure_future(x())", "loop.create_task(x())", "create_task(x())",
     "asyncio.get_running_loop().create_task(x())", "self._loop.create_task(x())"],
)  # fmt: skip
def test_naked_tasks_are_told(call: str) -> None:
    assert len(rules.naked_tasks(call)) == 1


def test_tasks_of_a_group_pass() -> None:
    assert rules.naked_tasks("group.create_task(x())\nself._tasks.create_task(x())") == []


@pytest.mark.parametrize("clause", ["except Exception:", "except BaseException:", "except:", "except (A, Exception):"])
def test_wide_except_needs_its_boundary(clause: str) -> None:
    assert len(rules.wide_excepts(f"try:\n    a()\n{clause}\n    b()\n")) == 1
    assert rules.wide_excepts(f"try:\n    a()\n{clause}  # the edge of a task\n    b()\n") == []
    assert rules.wide_excepts(f"try:\n    a()\n{clause}\n    # the edge of a task\n    b()\n") == []


def test_narrow_except_passes() -> None:
    assert rules.wide_excepts("try:\n    a()\nexcept OSError:\n    b()\n") == []


@pytest.mark.parametrize("line", ["datetime.now(UTC)", "date.today()", "uuid.uuid4()", "import uuid", "os.urandom(4)"])
def test_clock_in_a_pure_room_is_told(line: str) -> None:
    assert len(rules.clocks(line)) == 1


def test_time_as_an_argument_passes() -> None:
    assert rules.clocks("import datetime\ndef f(now: datetime.datetime): return now - self.now()") == []


@pytest.mark.parametrize("line", ["time.sleep(1)", "from unittest.mock import MagicMock", "import unittest.mock"])
def test_sleep_and_doubles_are_told(line: str) -> None:
    assert len(rules.sleeps_and_doubles(line)) == 1


def test_places_are_told() -> None:
    assert rules.places("a\nsee /ho" + "me/someone/x") != []
    assert rules.places("https://py" + "pi.org/simple") != []
    assert rules.places("below .passerelle/, /usr/lib, https://www.example.org") == []


def test_unused_statement_is_told() -> None:
    sql = {"a.sql": "-- name: used\nSELECT 1;\n-- name: idle\nSELECT 2;\n"}
    assert rules.unused_statements(sql, ['_SQL["used"]']) == ["a.sql: nobody uses the statement idle"]
