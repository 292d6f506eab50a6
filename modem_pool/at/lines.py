"""Octets to lines: what stands between line ends, and the prompt, which has none.

Source: ITU-T V.250 5.7.1; 3GPP TS 27.005 4.3 (<CR><LF>> and a space). Empty lines, NULs and garbage at power-up vanish.
What must not enter: what a line means.
"""

from __future__ import annotations

from typing import Final

LINE_OCTETS: Final = 4096  # chosen: the longest true line is a PDU, 2 x 176 digits; a USSD string has 182 characters
PROMPT: Final = "\x00>"  # no line: NULs vanish from lines
TOO_LONG: Final = "\x00>>"
_ENDS: Final = (b"\r", b"\n")
_BLANKS: Final = b"\r\n \x00"


class Lines:
    """Octets in, lines out, one at a time, since whether '>' is a prompt depends on what was heard before it."""

    def __init__(self) -> None:
        self._octets = bytearray()

    def feed(self, data: bytes) -> None:
        """More octets."""
        self._octets += data

    def next(self, is_prompt_wanted: bool) -> str | None:
        """The next line, PROMPT, TOO_LONG for octets that were dropped, or None: none is whole."""
        octets = self._octets
        while True:
            blank = len(octets) - len(octets.lstrip(_BLANKS))
            del octets[:blank]
            if is_prompt_wanted and octets[:1] == b">":
                del octets[:1]
                return PROMPT
            ends = [at for at in map(octets.find, _ENDS) if at >= 0]
            if not ends:
                break
            line = bytes(octets[: min(ends)])
            del octets[: min(ends) + 1]
            text = line.replace(b"\x00", b"").decode("latin-1").strip()
            if text:
                return text
        if len(octets) > LINE_OCTETS:
            octets.clear()
            return TOO_LONG
        return None

    def forget(self) -> None:
        """Drop half a line: its rest will never come."""
        self._octets.clear()
