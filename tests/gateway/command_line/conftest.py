"""The command line as an operator types it: words in, exit code and output back, over a database of this test.

What belongs here: calling `main`. What must not enter: a shortcut past it.
"""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import argon2
import msgspec
import pytest

from gateway.command_line.main import main
from gateway.command_line.words import speak

CARRIER = """
[[connector]]
name = "carrier-a"
kind = "smpp"
address = "127.0.0.1:2776"
system_id = "gw"
password = { value = "secret" }
"""


class Outcome(msgspec.Struct):
    """What a command left: its exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as the one JSON document it must be."""
        return json.loads(self.out)


Passerelle = Callable[..., Outcome]
CHEAP = functools.partial(argon2.PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def config_file(database: str, tmp_path: Path) -> Path:
    """A configuration over the database of this test, with one carrier; only its owner may read it."""
    file = tmp_path / "passerelle.toml"
    file.write_text(f'[storage]\ndsn = "{database}"\n{CARRIER}', encoding="utf-8")
    file.chmod(0o600)
    return file


@pytest.fixture
def passerelle(
    config_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Passerelle]:
    """Call it with the words after `passerelle`; `stdin` is what the command can read. argon2id is cheap here."""
    monkeypatch.setattr(argon2, "PasswordHasher", CHEAP)
    monkeypatch.setenv("PASSERELLE_CONFIG", str(config_file))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    def call(*words: str, stdin: str = "") -> Outcome:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = main(list(words))
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    yield call
    speak("en")
