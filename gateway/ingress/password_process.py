"""The node's end of the process that computes argon2id: begun when first needed, again when it died, ended with us.

Source: defaults.md, Operations; promise P7. A verification takes 64 MiB and 0.1 s of a core: one is computed at a time,
in an interpreter of its own. Calls block, and come from one thread (credentials.py).
What must not enter: who may ask (binding.py), what was proven before.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import subprocess
import sys
from pathlib import Path

log = logging.getLogger("passerelle.ingress")

PROGRAM = Path(__file__).with_name("argon2_process.py")
PATIENCE_S = 30.0  # chosen: for two hashes behind a busy machine's other work; past it the process hangs
TRIES = 2  # chosen: a process that dies of a question is asked once more
ANSWER_OCTETS = 16


class PasswordsAway(Exception):
    """No password can be proven now: nobody's fault who binds."""


class PasswordProcess:
    """One process at most. All but close() belong to one thread."""

    def __init__(self) -> None:
        self._running: subprocess.Popen[bytes] | None = None
        self._closing = False

    @property
    def pid(self) -> int | None:
        """Of the process that runs, or ran last."""
        return None if self._running is None else self._running.pid

    def first_match(self, password: bytes, stored: list[str]) -> int:
        """Where the first hash stands that a password matches, negative for none. Raises PasswordsAway."""
        question = b" ".join(word.hex().encode() for word in (password, *map(str.encode, stored))) + b"\n"
        for tried in range(TRIES):
            if self._closing:
                break
            try:
                return self._answer(question)
            except OSError as fault:
                self.end()
                if not self._closing:
                    _tell(fault, tried + 1)
        raise PasswordsAway

    def _answer(self, question: bytes) -> int:
        if self._running is None:
            # -I: neither the environment nor a working directory says what is imported
            words = (sys.executable, "-I", str(PROGRAM))
            self._running = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        asked, answered = self._running.stdin, self._running.stdout
        assert asked is not None
        assert answered is not None
        asked.write(question)
        looked = select.poll()
        looked.register(answered, select.POLLIN)
        if not looked.poll(PATIENCE_S * 1000):
            raise TimeoutError(f"no answer within {PATIENCE_S:g} s")
        said = os.read(answered.fileno(), ANSWER_OCTETS)
        if not said.endswith(b"\n"):
            raise ConnectionError(f"it ended by itself ({self._running.wait()})")
        return int(said)

    def end(self) -> None:
        """End the process, if there is one; the next question begins another."""
        running, self._running = self._running, None
        if running is not None:
            running.kill()
            running.wait()
            for pipe in (running.stdin, running.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()

    def close(self) -> None:
        """From any thread: ask nothing more; whoever waits for an answer gets none. end() follows in the asking one."""
        self._closing = True
        running = self._running
        if running is not None:
            running.kill()


def _tell(fault: OSError, tried: int) -> None:
    remedy = "it is begun again; if this repeats, look for what ends it: memory, limits, an operator"
    log.error("password_process_lost", extra={"why": str(fault), "tried": tried, "remedy": remedy})
