"""`make fuzz`: each target for so many executions, two at a time, each in a process of its own.

atheris guides by coverage where it is installed (Linux on x86_64, Python below 3.14); elsewhere, or with --plain, the
mutator damages good examples. A find ends its target and is printed as a call that repeats it; the exit code is 1.
What must not enter: targets.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import importlib.util
import re
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.mutator import LONGEST, campaign
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS, judge

RUNS = 1_000_000
INSTRUMENTED = ["gateway.smpp", "gateway.receipts", "telecom"]


def guided(name: str, runs: int, seed: int, seconds: int) -> tuple[str, int]:
    """One target by atheris, in a child of its own (libFuzzer ends its process); "" or the find, and executions."""
    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(SEEDS[name]):
            (Path(folder) / f"{number:03}").write_bytes(data)
        words = [sys.executable, "-m", "tests.fuzz", "--child", name, folder]
        options = [f"-runs={runs}", f"-seed={seed or 1}", f"-max_len={LONGEST}", f"-max_total_time={seconds}"]
        ended = subprocess.run(
            [*words, *options, f"-artifact_prefix={folder}/find-"], capture_output=True, text=True, check=False
        )
        done = re.search(r"^Done (\d+) runs", ended.stderr, re.MULTILINE)
        executed = int(done[1]) if done else 0
        if ended.returncode == 0:
            return "", executed
        for find in Path(folder).glob("find-*"):
            data = find.read_bytes()
            return judge(TARGETS[name], data) or f"{name}: slow or out of memory: {data.hex()}", executed
        return f"{name}: {ended.stderr[-2000:]}", executed


def child(name: str, words: list[str]) -> None:
    """Become libFuzzer over one target; the rooms are imported anew, under instrumentation."""
    import atheris

    for module in [each for each in sys.modules if re.match(r"gateway|telecom|tests\.", each)]:
        del sys.modules[module]
    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.targets import TARGETS as INSTRUMENTED_TARGETS
    atheris.Setup(["fuzz", *words], INSTRUMENTED_TARGETS[name])
    atheris.Fuzz()


def one(name: str, runs: int, seed: int, seconds: int, plain: bool) -> tuple[str, str, int, float]:
    """Name, find, executions and seconds."""
    began = time.monotonic()
    if plain:
        find, executed = campaign(TARGETS[name], SEEDS[name], runs, seed), runs
    else:
        find, executed = guided(name, runs, seed, seconds)
    return name, find, executed, time.monotonic() - began


def main() -> int:
    """The words of the command line; the exit code."""
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3:])
        return 0
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help="executions of each target")
    parser.add_argument("--target", action="append", choices=list(TARGETS), help="only these")
    parser.add_argument("--seed", type=int, default=secrets.randbits(31), help="repeats a run of --plain")
    parser.add_argument("--seconds", type=int, default=0, help="a target ends after so long, however few; 0: never")
    parser.add_argument("--plain", action="store_true", help="the mutator instead of atheris")
    parser.add_argument("--jobs", type=int, default=2, help="targets at a time")
    asked = parser.parse_args()
    plain = asked.plain or importlib.util.find_spec("atheris") is None
    names = asked.target or list(TARGETS)
    guide = "mutator" if plain else "atheris"
    print(f"{guide}, {asked.runs} executions of each target, --seed {asked.seed}", flush=True)  # noqa: T201 - a command's output
    found = 0
    with concurrent.futures.ProcessPoolExecutor(asked.jobs) as jobs:
        begun = [jobs.submit(one, name, asked.runs, asked.seed, asked.seconds, plain) for name in names]
        for done in concurrent.futures.as_completed(begun):
            name, find, executed, took_s = done.result()
            found += bool(find)
            print(f"{name:12} {executed:11,} in {took_s:5.0f} s: {find or 'nothing found'}", flush=True)  # noqa: T201 - a command's output
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
