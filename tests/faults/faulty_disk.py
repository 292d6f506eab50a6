"""A disk that fails under PostgreSQL when a test says so: fsync gives EIO, writes give ENOSPC; no root, no mount.

seccomp(2), SECCOMP_RET_USER_NOTIF: a program started through `words` asks the test before each fsync or write to a
file and is told to go on, or that it failed. The filter is inherited by every child. Linux only, x86_64 and aarch64.
What must not enter: what PostgreSQL makes of it.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import select
import socket
import struct
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

# asm/unistd.h: seccomp(2), then what is asked about. PostgreSQL: WAL by pwrite64, data by pwritev and fallocate
NUMBERS = {
    "x86_64": {"seccomp": 317, "fsync": 74, "fdatasync": 75, "pwrite64": 18, "pwritev": 296, "fallocate": 285},
    "aarch64": {"seccomp": 277, "fsync": 82, "fdatasync": 83, "pwrite64": 68, "pwritev": 70, "fallocate": 47},
}
SYNCING = ("fsync", "fdatasync")
WRITING = ("pwrite64", "pwritev", "fallocate")
# linux/seccomp.h, linux/filter.h, linux/prctl.h
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER = 1, 8
SECCOMP_RET_USER_NOTIF, SECCOMP_RET_ALLOW = 0x7FC00000, 0x7FFF0000
SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND = 0xC0502100, 0xC0182101
SECCOMP_USER_NOTIF_FLAG_CONTINUE = 1
BPF_LOAD_WORD, BPF_JUMP_IF_EQUAL, BPF_RETURN = 0x20, 0x15, 0x06
NOTIFICATION = struct.Struct("=QIIiIQ6Q")  # struct seccomp_notif: id, pid, flags, then seccomp_data
ANSWER = struct.Struct("=QqiI")  # struct seccomp_notif_resp: id, val, error, flags
WAIT_S = 30.0  # chosen
LOOK_MS = 200  # how soon the thread sees that the test is over; chosen

_libc = ctypes.CDLL(None, use_errno=True)


class FaultyDisk:
    """What the test holds: `fail(...)`, `heal()`, `words(command)`; `refused` counts failed calls by name."""

    def __init__(self, folder: Path) -> None:
        self._door_path = folder / "disk.sock"
        self._failing: dict[int, int] = {}  # system call -> errno
        self._names = {number: name for name, number in _numbers().items()}
        self.refused: dict[str, int] = {}
        self._over = False
        self._refusals = threading.Condition()

    def fail_syncs(self) -> None:
        """From now on fsync and fdatasync give EIO, as a dying disk does."""
        self._fail(SYNCING, errno.EIO)

    def fail_writes(self) -> None:
        """From now on writes to files give ENOSPC, as a full disk does."""
        self._fail(WRITING, errno.ENOSPC)

    def heal(self) -> None:
        """Everything works again."""
        self._failing = {}

    def _fail(self, names: Sequence[str], number: int) -> None:
        self._failing = {_numbers()[name]: number for name in names}

    def until_refused(self, names: Sequence[str], times: int) -> None:
        """Wait (in a thread) until so many more calls of these names failed. TimeoutError after WAIT_S."""
        with self._refusals:
            wanted = self._count(names) + times
            if not self._refusals.wait_for(lambda: self._count(names) >= wanted, WAIT_S):
                raise TimeoutError(f"not {times} failed calls of {names} in {WAIT_S:g} s")

    def _count(self, names: Sequence[str]) -> int:
        return sum(self.refused.get(name, 0) for name in names)

    def words(self, command: Sequence[str]) -> tuple[str, ...]:
        """The command, started so that its files are on this disk."""
        return (sys.executable, str(Path(__file__)), str(self._door_path), *command)

    @contextlib.contextmanager
    def attached(self) -> Iterator[FaultyDisk]:
        """Serve programs that are started through `words`, from a thread, until the block ends."""
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(self._door_path))
            door.listen()
            thread = threading.Thread(target=self._serve, args=(door,), name="faulty disk", daemon=True)
            thread.start()
            try:
                yield self
            finally:
                self.heal()
                self._over = True
                thread.join()

    def _serve(self, door: socket.socket) -> None:
        poll = select.poll()
        poll.register(door.fileno(), select.POLLIN)
        listeners: set[int] = set()
        while not self._over:
            for descriptor, event in poll.poll(LOOK_MS):
                if descriptor == door.fileno():
                    with door.accept()[0] as visitor:
                        listeners.update(socket.recv_fds(visitor, 1, 1)[1])
                    for listener in listeners:
                        poll.register(listener, select.POLLIN)
                elif event & select.POLLIN:
                    self._answer(descriptor)
                else:  # the last process behind it ended
                    poll.unregister(descriptor)
                    listeners.discard(descriptor)
                    os.close(descriptor)
        for listener in listeners:
            os.close(listener)

    def _answer(self, listener: int) -> None:
        asked = ctypes.create_string_buffer(NOTIFICATION.size)
        if _libc.ioctl(listener, ctypes.c_ulong(SECCOMP_IOCTL_NOTIF_RECV), asked) != 0:
            return  # who asked was killed meanwhile
        number, _, _, call, *_ = NOTIFICATION.unpack(asked.raw)
        failure = self._failing.get(call, 0)
        if failure:
            name = self._names[call]
            with self._refusals:
                self.refused[name] = self.refused.get(name, 0) + 1
                self._refusals.notify_all()
            told = ANSWER.pack(number, 0, -failure, 0)
        else:
            told = ANSWER.pack(number, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE)
        _libc.ioctl(listener, ctypes.c_ulong(SECCOMP_IOCTL_NOTIF_SEND), ctypes.create_string_buffer(told, len(told)))


def _numbers() -> dict[str, int]:
    return NUMBERS[platform.machine()]


def _install_filter() -> int:
    """Ask about SYNCING and WRITING in this process and its children; the descriptor to listen on."""
    asked = [_numbers()[name] for name in (*SYNCING, *WRITING)]
    steps = [struct.pack("=HBBI", BPF_LOAD_WORD, 0, 0, 0)]
    for left, number in zip(reversed(range(len(asked))), asked, strict=True):
        steps.append(struct.pack("=HBBI", BPF_JUMP_IF_EQUAL, left + 1, 0, number))
    steps.append(struct.pack("=HBBI", BPF_RETURN, 0, 0, SECCOMP_RET_ALLOW))
    steps.append(struct.pack("=HBBI", BPF_RETURN, 0, 0, SECCOMP_RET_USER_NOTIF))
    code = ctypes.create_string_buffer(b"".join(steps))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(code)))
    if _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    listener: int = _libc.syscall(
        _numbers()["seccomp"], SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, program
    )
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return listener


def main(door: str, *command: str) -> None:
    """Become the command, with its disk in the hands of whoever listens at the door."""
    with socket.socket(socket.AF_UNIX) as visitor:
        visitor.connect(door)
        listener = _install_filter()
        socket.send_fds(visitor, [b"x"], [listener])
    os.close(listener)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
