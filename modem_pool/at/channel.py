"""The conversation with one modem: octets in, events out; one command at a time, and a channel that broke off is dirty.

Source: ITU-T V.250 5; 3GPP TS 27.005 3 and 4; architecture 5 (a cancelled exchange makes its channel dirty). The one
rule: a command declares its answer's prefixes, everything else is unsolicited, wherever it comes.
No serial port, no clock, no decision about a message or a SIM may enter: time comes by tick().
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from modem_pool.at.channel_states import REACTIONS, ChannelState, Heard, Reaction
from modem_pool.at.commands import PROMPT_S, SPEAK_PLAINLY, Command
from modem_pool.at.events import (
    Answered,
    Event,
    Information,
    LateAnswer,
    Noise,
    Synchronised,
    TimedOut,
    Unresponsive,
    Unsolicited,
)
from modem_pool.at.lines import LINE_OCTETS, PROMPT, TOO_LONG, Lines
from modem_pool.at.results import Result, result_of

QUIET_S: Final = 1.0  # chosen: after a broken exchange, for the rest of its answer
SETTLE_S: Final = 0.5  # chosen: after the result of a trial, for a second one: then the first was late
TRIAL_S: Final = 5.0  # defaults.md, SIM pool: command 5 s
TRIALS: Final = 3  # chosen: the first is lost where the modem finds its baud rate by it
PIECE_S: Final = 2.0  # chosen: for a PDU behind its header, and the end of a string over several lines
ANSWER_LINES: Final = 4000  # chosen: a full storage of 255 messages has 510
STRING_LINES: Final = 40  # chosen: a screen of USSD has 182 characters

ESCAPE, SUBMIT = b"\x1b", b"\x1a"  # 27.005 4.3
_WITH_PDU: Final = ("+CMT:", "+CDS:", "+CBM:")  # 27.005 3.4.1: unsolicited, in PDU mode
_WITH_STRING: Final = "+CUSD:"
_STRING_ENDS: Final = re.compile(r'.*"(\s*,\s*\d{1,3})?', re.DOTALL)
_HEXADECIMAL: Final = re.compile(r"([0-9A-Fa-f]{2}){2,}")
_BROKEN: Final = (ChannelState.DIRTY, ChannelState.SYNCING)


class NotNow(Exception):
    """Our bug: a command was asked while the channel was not idle."""


class _Header(msgspec.Struct):
    """A line whose PDU comes behind it."""

    text: str
    is_own: bool
    since: float


class Channel:
    """One AT channel. Never raises for what the modem sent. A new one is dirty: nobody knows what the modem is at.

    A shell, once per read: channel.tick(now); events = channel.receive_data(octets); ...; then it writes
    channel.data_to_send(). It ticks also when now >= channel.next_deadline().
    """

    def __init__(self, now: float = 0.0) -> None:
        self.state = ChannelState.DIRTY
        self._now = now
        self._lines = Lines()
        self._out = bytearray()
        self._command: Command | None = None  # the one that waits, or broke off
        self._collected: list[Information] = []
        self._echoes: list[str] = []
        self._headers: list[_Header] = []
        self._string: list[str] = []
        self._string_since = 0.0
        self._deadline: float | None = now
        self._trials = 0

    # -- what the shell asks

    def ask(self, command: Command) -> None:
        """Write a command line. Raises NotNow unless the channel is idle."""
        if self.state is not ChannelState.IDLE:
            raise NotNow(f"{command.line} while {self.state.value}")
        self._command, self._collected = command, []
        self.state = ChannelState.PROMPTING if command.payload else ChannelState.ASKED
        self._deadline = self._now + (PROMPT_S if command.payload else command.patience_s)
        self._write_line(command.line)

    def cancel(self) -> bool:
        """Break the exchange off; whether its payload was written. The channel is dirty until it is Synchronised."""
        is_written = self.state is ChannelState.SENT
        if self.state in (ChannelState.ASKED, ChannelState.PROMPTING, ChannelState.SENT):
            self._break_off()
        return is_written

    def resynchronise(self) -> None:
        """Try again after Unresponsive, or after the modem was reset."""
        self.state, self._trials = ChannelState.DIRTY, 0
        self._lines.forget()
        self._headers.clear()
        self._string.clear()
        self._deadline = self._now

    def data_to_send(self) -> bytes:
        """Take all octets waiting to be written."""
        data = bytes(self._out)
        self._out.clear()
        return data

    # -- time

    def tick(self, now: float) -> list[Event]:
        """Set the channel's clock; do what is due."""
        self._now = now
        events: list[Event] = []
        self._cut_pieces(events)
        if self._deadline is not None and self._deadline <= now:
            self._deadline = None
            self._due(events)
        return events

    def next_deadline(self) -> float | None:
        """When tick() is next needed; None: nothing is awaited."""
        awaited = [header.since + PIECE_S for header in self._headers]
        if self._string:
            awaited.append(self._string_since + PIECE_S)
        if self._deadline is not None:
            awaited.append(self._deadline)
        return min(awaited, default=None)

    def _due(self, events: list[Event]) -> None:
        if self.state is ChannelState.DIRTY:
            self._try()
        elif self.state is ChannelState.SYNCING and self._trials < 0:  # a result came, and then nothing
            self.state, self._command, self._trials = ChannelState.IDLE, None, 0
            events.append(Synchronised())
        elif self.state is ChannelState.SYNCING and self._trials < TRIALS:
            self._out += ESCAPE  # it may still wait for a payload
            self._try()
        elif self.state is ChannelState.SYNCING:
            self.state = ChannelState.DIRTY
            events.append(Unresponsive())
        elif self._command is not None:
            events.append(TimedOut(self._command, self.state is ChannelState.SENT))
            self._break_off()

    def _try(self) -> None:
        self.state = ChannelState.SYNCING
        self._trials += 1
        self._deadline = self._now + TRIAL_S
        self._write_line(SPEAK_PLAINLY.line)

    def _break_off(self) -> None:
        if self.state is ChannelState.PROMPTING:
            self._out += ESCAPE
        self.state, self._trials = ChannelState.DIRTY, 0
        self._deadline = self._now + QUIET_S

    def _cut_pieces(self, events: list[Event]) -> None:
        """What waited too long for its end is told without; lines taken for a string's are heard once more."""
        late = self._now - PIECE_S
        for header in [each for each in self._headers if each.since <= late]:
            self._headers.remove(header)
            self._close_header(header, "", events)
        if self._string and self._string_since <= late:
            first, *others = self._string
            self._string = []
            events.append(Unsolicited(first, is_cut=True))
            for text in others:
                self._hear(text, events)

    # -- octets

    def receive_data(self, data: bytes) -> list[Event]:
        """Take what the modem sent."""
        events: list[Event] = []
        self._lines.feed(data)
        while (text := self._lines.next(self.state is ChannelState.PROMPTING)) is not None:
            if text is TOO_LONG:
                events.append(Noise("no_line_end", LINE_OCTETS))
            elif self._string and text is not PROMPT:
                self._lengthen(text, events)
            else:
                self._hear(text, events)
        return events

    def _hear(self, text: str, events: list[Event]) -> None:
        if self._headers and self._take_pdu(text, events):
            return
        if self._echoes and text.rstrip("\x1a") == self._echoes[0]:
            self._echoes.pop(0)
            return
        heard, result = self._classify(text)
        reaction = REACTIONS[self.state][heard]
        if reaction is Reaction.COLLECT or (reaction is Reaction.LATE and heard is Heard.OWN):
            self._own(text, events)
        elif reaction is Reaction.ANSWER:
            assert result is not None
            self._answer(result, events)
        elif reaction is Reaction.PAYLOAD:
            self._write_payload()
        elif reaction is Reaction.UNSOLICITED:
            self._unsolicited(text, events)
        elif reaction is Reaction.SILENCE:
            self._trials = -1
            self._deadline = self._now + SETTLE_S
        else:
            self._broken_result(text, reaction, events)

    def _classify(self, text: str) -> tuple[Heard, Result | None]:
        if text is PROMPT:
            return Heard.PROMPT, None
        command = self._command
        result = result_of(text, command is not None and command.dials)
        if result is not None:
            return Heard.RESULT, result
        if command is not None and command.owns(text):
            return Heard.OWN, None
        return Heard.OTHER, None

    def _broken_result(self, text: str, reaction: Reaction, events: list[Event]) -> None:
        if reaction is Reaction.LATE and self._command is not None:
            events.append(LateAnswer(self._command, Information(text)))
            self._command = None  # it has got all it can get
            self._deadline = self._now + QUIET_S
        else:
            events.append(Noise("stray_result", len(text)))

    # -- answers

    def _own(self, text: str, events: list[Event]) -> None:
        assert self._command is not None
        if self._command.has_pdus:
            self._headers.append(_Header(text, True, self._now))
        else:
            self._collect(Information(text), events)

    def _collect(self, line: Information, events: list[Event]) -> None:
        assert self._command is not None
        if self.state in _BROKEN:
            events.append(LateAnswer(self._command, line))
        elif len(self._collected) < ANSWER_LINES:
            self._collected.append(line)
        else:
            events.append(Noise("too_many_lines", len(line.text) + len(line.pdu)))

    def _answer(self, result: Result, events: list[Event]) -> None:
        command = self._command
        assert command is not None
        for header in [each for each in self._headers if each.is_own]:  # an empty slot
            self._headers.remove(header)
            self._close_header(header, "", events)
        if self.state is ChannelState.PROMPTING and result.verdict == "ok":
            result = Result("error", -1, "OK before the prompt: nothing was sent")
        lines = tuple(self._collected)
        self.state, self._command, self._collected, self._deadline = ChannelState.IDLE, None, [], None
        self._echoes.clear()
        events.append(Answered(command, result.verdict, lines, result.code, result.said))

    # -- what nobody asked for

    def _unsolicited(self, text: str, events: list[Event]) -> None:
        if text.startswith(_WITH_PDU):
            self._headers.append(_Header(text, False, self._now))
        elif text.startswith(_WITH_STRING) and '"' in text and not _string_ended(text.partition('"')[2]):
            self._string, self._string_since = [text], self._now
        else:
            events.append(Unsolicited(text))

    def _lengthen(self, text: str, events: list[Event]) -> None:
        """One more line of a string that has line ends in it."""
        self._string.append(text)
        if _string_ended(text):
            events.append(Unsolicited("\n".join(self._string)))
            self._string = []
        elif len(self._string) > STRING_LINES:
            self._string_since = self._now - PIECE_S
            self._cut_pieces(events)

    def _take_pdu(self, text: str, events: list[Event]) -> bool:
        """Whether a line is the PDU of a header: of the one that says its length, else of the last."""
        if text is PROMPT or not _HEXADECIMAL.fullmatch(text):
            return False
        fitting = [header for header in self._headers if _declared(header.text) == _tpdu_octets(text)]
        if not fitting and self._command is not None and self._command.owns(text):
            return False
        header = (fitting or self._headers)[-1]
        self._headers.remove(header)
        self._close_header(header, text, events)
        return True

    def _close_header(self, header: _Header, pdu: str, events: list[Event]) -> None:
        if not header.is_own:
            events.append(Unsolicited(header.text, pdu, is_cut=not pdu))
        elif self._command is not None:
            self._collect(Information(header.text, pdu), events)

    # -- writing

    def _write_line(self, line: str) -> None:
        self._echoes = [line]
        self._out += line.encode("ascii") + b"\r"

    def _write_payload(self) -> None:
        assert self._command is not None
        payload = self._command.payload
        self._echoes = [payload.decode("ascii")]
        self._out += payload + SUBMIT
        self.state = ChannelState.SENT
        self._deadline = self._now + self._command.patience_s


def _string_ended(text: str) -> bool:
    return _STRING_ENDS.fullmatch(text) is not None


def _declared(header: str) -> int:
    """The octets of the TPDU that a header announces: its last number; -1 where it has none."""
    last = re.split("[,:]", header)[-1].strip()
    return int(last) if last.isascii() and last.isdigit() and len(last) < 4 else -1


def _tpdu_octets(pdu: str) -> int:
    """The octets behind the service centre's address (27.005 3.1, <pdu>)."""
    return len(pdu) // 2 - 1 - int(pdu[:2], 16)
