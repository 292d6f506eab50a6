"""Executing a page's blocks as its reader would: one shell, in the order of the page, in a folder of their own.

The folder looks like a checkout after `make setup`; the page's ports are moved to free ones; what the page leaves
running in the background is ended with the shell.
What must not enter: knowledge of one page.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT, Block
from tests.running_node import free_port
from tests.usual_ports import PORTS, usual_ports_taken

MARK = "=== end of block "
MADE_HERE = ("Makefile", "pyproject.toml", "requirements.lock")  # what the Makefile's rules look at


def checkout(folder: Path) -> Path:
    """A folder in which `make run` and `.venv/bin/passerelle` are this tree's."""
    repo = folder / "passerelle"
    (repo / ".venv").mkdir(parents=True)
    for name in MADE_HERE:
        shutil.copy(ROOT / name, repo / name)
    shutil.copytree(ROOT / ".ci", repo / ".ci")
    for each in Path(sys.prefix).iterdir():
        if each.name in ("bin", "lib", "lib64", "pyvenv.cfg"):
            (repo / ".venv" / each.name).symlink_to(each)
    (repo / ".venv" / ".stamp").touch()
    return repo


def run_page(page: list[Block], repo: Path, environment: dict[str, str], seconds: float) -> dict[int, str]:
    """Execute the blocks to be run; what each wrote, stderr included, by its line. AssertionError when one fails."""
    script = ["set -eu", "trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT"]
    for block in page:
        if block.file is not None:
            script.append(f"cat > {block.file} <<'END_OF_FILE'\n{block.text}\nEND_OF_FILE")
        elif block.runs:
            script.append(f"{block.text}\necho '{MARK}{block.line}'")
    with usual_ports_taken():
        written, code = run_script(_with_free_ports("\n".join(script)), repo, environment, seconds)
    outputs: dict[int, str] = {}
    rest = written
    for block in page:
        if block.runs:
            before, mark, rest = rest.partition(f"{MARK}{block.line}\n")
            assert mark, f"the block of line {block.line} failed ({code}):\n{block.text}\n--- it wrote\n{before}"
            outputs[block.line] = before
    assert code == 0, written
    return outputs


def run_script(script: str, folder: Path, environment: dict[str, str], seconds: float) -> tuple[str, int]:
    """Run a script by bash in a session of its own, which ends with it."""
    keep = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    with subprocess.Popen(
        ["bash", "-c", script],
        cwd=folder,
        env=keep | {"PATH": os.defpath} | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            written, _ = shell.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGTERM)
            written, _ = shell.communicate(timeout=60)
            raise AssertionError(f"not done within {seconds} s; it wrote:\n{written}") from None
    return written, shell.returncode


def _with_free_ports(script: str) -> str:
    for port in PORTS:
        script = re.sub(rf"(?<=[:, ]){port}\b", str(free_port()), script)
    return script


def shape(line: str) -> str:
    """A line without what differs from run to run: figures, places, widths."""
    line = re.sub(r"(?<![\w>])/\S+", "PLACE", line)
    line = re.sub(r"\d+(\.\d+)?", "#", line)
    line = re.sub(r"([━─])\1+", r"\1", line)
    return " ".join(line.split())


def missing_shapes(shown: str, written: str) -> list[str]:
    """The lines a page shows that the program did not write. Three dots alone stand for lines left out, at the end of
    a line for the rest of it.
    """
    known = {shape(line) for line in written.splitlines()}
    missing = []
    for line in shown.splitlines():
        start, dots, _ = shape(line).partition(" ...")
        if line.strip() in ("", "...") or shape(line) in known:
            continue
        if not dots or not any(each.startswith(start) for each in known):
            missing.append(line)
    return missing
