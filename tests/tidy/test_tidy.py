"""House style, executed over the tree: what git tracks, or all there is where git is not.

A complaint names file and line. The list of long functions may only shrink.
What must not enter: the rules themselves (rules.py).
"""

from __future__ import annotations

import functools
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tidy import rules

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("telecom", "router", "gateway", "simulators", "ussd", "voice", "modem_pool", "admin_api", "firmware")
PURE = ("telecom", "router", "gateway/smpp", "gateway/accept", "gateway/receipts", "modem_pool/at", "voice/ami")
# path::function -> lines. Code of the hot path that generates or unrolls may stand here, with its reason.
LONG_FUNCTIONS: dict[str, int] = {}


@functools.cache
def tracked() -> tuple[str, ...]:
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
        found = listed.stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        found = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if ".venv" not in path.parts]
    return tuple(sorted(path for path in found if path and (ROOT / path).is_file()))


def python_files(*folders: str) -> list[str]:
    starts = tuple(f"{folder}/" for folder in folders) + tuple(f"{folder}.py" for folder in folders)
    return [path for path in tracked() if path.endswith(".py") and path.startswith(starts)]


@functools.cache
def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def told(files: list[str], rule: Callable[[str], list[str]]) -> str:
    return "\n".join(f"{path}:{complaint}" for path in files for complaint in rule(read(path)))


@pytest.mark.parametrize(
    "rule", [rules.head, rules.names, rules.naked_tasks, rules.wide_excepts], ids=lambda rule: rule.__name__
)
def test_product_files_keep(rule: Callable[[str], list[str]]) -> None:
    complaints = told(python_files(*PRODUCT), rule)
    assert not complaints, "\n" + complaints


def test_file_names_say_something() -> None:
    named = [path for path in tracked() for part in Path(path).with_suffix("").parts if rules.banned_in(part)]
    assert not named


def test_functions_are_short_and_the_list_of_long_ones_only_shrinks() -> None:
    long = {
        f"{path}::{name}": lines
        for path in python_files(*PRODUCT)
        for name, lines in rules.function_lengths(read(path)).items()
        if lines > rules.LONGEST_FUNCTION
    }
    grown = {name: lines for name, lines in long.items() if lines > LONG_FUNCTIONS.get(name, 0)}
    assert not grown, f"longer than {rules.LONGEST_FUNCTION} lines: {grown}"
    assert long == LONG_FUNCTIONS, "these shrank: take them off the list, or down to their length now"


def test_pure_rooms_take_time_and_chance_as_arguments() -> None:
    complaints = told(python_files(*PURE), rules.clocks)
    assert not complaints, "\n" + complaints


def test_tests_neither_sleep_nor_imitate_our_classes() -> None:
    complaints = told(
        [path for path in python_files("tests") if not path.startswith("tests/tidy/")], rules.sleeps_and_doubles
    )
    assert not complaints, "\n" + complaints


def test_no_file_names_a_machine_or_a_registry() -> None:
    complaints = []
    for path in tracked():
        try:
            complaints += [f"{path}:{complaint}" for complaint in rules.places(read(path))]
        except UnicodeDecodeError:  # a binary: nothing to read in it
            continue
    assert not complaints, "\n" + "\n".join(complaints)


def test_every_sql_statement_is_used() -> None:
    sql = {path: read(path) for path in tracked() if path.endswith(".sql") and "/statements/" in path}
    unused = rules.unused_statements(sql, [read(path) for path in python_files("gateway")])
    assert not unused, "\n" + "\n".join(unused)


def test_contracts_and_types_know_every_package_and_pure_room() -> None:
    project = tomllib.loads(read("pyproject.toml"))["tool"]
    here = {path.split("/")[0] for path in python_files(*PRODUCT) if path.endswith("/__init__.py")}
    assert here <= set(project["importlinter"]["root_packages"])
    assert here <= set(project["mypy"]["packages"])
    contracts = {contract["id"]: contract for contract in project["importlinter"]["contracts"]}
    pure_here = {room.replace("/", ".") for room in PURE if python_files(room)}
    held = {room for each in ("pure-rooms", "pure-rules") for room in contracts[each]["source_modules"]}
    assert pure_here <= held


def test_migrations_and_decisions_are_numbered_from_one_without_gap_or_twin() -> None:
    for folder, ending in (("gateway/storage/migrations/", ".sql"), ("docs/decisions/", ".md")):
        names = [path.removeprefix(folder) for path in tracked() if path.startswith(folder) and path.endswith(ending)]
        numbers = sorted(int(name[:4]) for name in names if "/" not in name)
        assert numbers == list(range(1, len(numbers) + 1)), folder
