"""A node that is sampled: `python -m tests.bench.sampled_node OUT --config F` runs `passerelle node` and counts.

Every 2 ms of its own processor time (setitimer(2), ITIMER_PROF) the frame that runs is counted. Python takes the signal
at the next call or function entry: time in C goes to the Python that called it, time of the event loop between two
callbacks to the entry of the next one, and so that is told apart. Counting begins at SIGUSR2.
What must not enter: adding up by room (profile.py).
"""

from __future__ import annotations

import dis
import json
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

EVERY_S = 0.002  # of processor time
RESUME = dis.opmap["RESUME"]  # the first instruction of a function, or of a coroutine that goes on
LOOP_ENTRY = "asyncio/runners.py"  # who called the loop: a callback's frame stands directly above it
COMPILED = "from fields.py>"  # gateway.smpp.compiled names its functions' file so
ROOMS = ("gateway/", "telecom/", "router/")
ROOT = str(Path(__file__).resolve().parents[2]) + "/"

Place = tuple[str, str, str, str]  # file, function, and those of the nearest frame of ours
counts: Counter[Place] = Counter()


def take_sample(number: int, frame: FrameType | None) -> None:
    """Count where the program is."""
    if frame is None:
        return
    code, back = frame.f_code, frame.f_back
    file = code.co_filename.removeprefix(ROOT)
    if back is not None and back.f_code.co_filename.endswith(LOOP_ENTRY) and code.co_code[frame.f_lasti] == RESUME:
        counts["event loop", "between callbacks", "event loop", "between callbacks"] += 1
        return
    ours: FrameType | None = frame
    while ours is not None and not _is_ours(ours.f_code.co_filename):
        ours = ours.f_back
    near = (ours.f_code.co_filename.removeprefix(ROOT), ours.f_code.co_qualname) if ours else (file, "")
    counts[file, code.co_qualname, near[0], near[1]] += 1


def _is_ours(file: str) -> bool:
    return file.endswith(COMPILED) or file.removeprefix(ROOT).startswith(ROOMS)


def begin(number: int, frame: FrameType | None) -> None:
    """Start counting."""
    counts.clear()
    signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)


def main() -> None:
    """Run the node; write what was counted when it has ended."""
    from gateway.command_line.main import main as passerelle

    out = Path(sys.argv[1])
    signal.signal(signal.SIGPROF, take_sample)
    signal.siginterrupt(signal.SIGPROF, False)
    signal.signal(signal.SIGUSR2, begin)
    sys.argv = ["passerelle", "node", *sys.argv[2:]]
    try:
        passerelle()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        out.write_text(json.dumps([[*place, count] for place, count in counts.most_common()]), encoding="utf-8")


if __name__ == "__main__":
    main()
