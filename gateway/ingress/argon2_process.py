"""The process that computes argon2id: questions on stdin, answers on stdout, one after the other, until stdin ends.

Source: defaults.md, Operations (argon2id only off the bind path). Started by its path (password_process.py), so that it
holds an interpreter and argon2 alone. It steps back behind the node: messages go before passwords. A question is a
line: the password, then the stored hashes, each as hexadecimal; the answer: the place of the first hash that matches.
What must not enter: anything of ours; a password on a command line or in a log.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

from _argon2_cffi_bindings import ffi, lib

NICENESS = 10  # measured: docs/performance.md, Binds; a tenth of what the node weighs where both want one core
NONE = -1  # the place of no hash


def first_match(password: bytes, stored: list[bytes]) -> int:
    """Where the first hash stands that a password matches; every hash before it is computed. NONE: nowhere."""
    word = ffi.new("uint8_t[]", password)
    for place, each in enumerate(stored):
        if lib.argon2_verify(ffi.new("char[]", each), word, len(password), lib.Argon2_id) == lib.ARGON2_OK:
            return place
    return NONE


def main() -> None:
    """Answer until the node is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the node, which ends us in its own time
    with contextlib.suppress(OSError):  # where a unit forbids it we compute all the same
        os.nice(NICENESS)
    for question in sys.stdin.buffer:
        password, *stored = (bytes.fromhex(word.decode()) for word in question.rstrip(b"\n").split(b" "))
        sys.stdout.buffer.write(b"%d\n" % first_match(password, stored))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
