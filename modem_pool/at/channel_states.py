"""The states of an AT channel and what each does with what it hears: the table is the documentation.

Source: ITU-T V.250 5.7 (one final result for each command line); 3GPP TS 27.005 3.4 (unsolicited results between them).
What must not enter: octets (lines.py), what a line means.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class ChannelState(Enum):
    """Where the conversation stands."""

    IDLE = "nothing is asked"
    ASKED = "a command waits for its result"
    PROMPTING = "a command with a payload waits for '>'"
    SENT = "its payload was written; it waits for its result"
    DIRTY = "an exchange broke off: what comes may be its rest"
    SYNCING = "AT was written, its result and silence are awaited"


class Heard(Enum):
    """What a line is."""

    RESULT = "a final result code"
    OWN = "an information line that the command declared"
    PROMPT = "'>' at the beginning of a line"
    OTHER = "any other line"


class Reaction(Enum):
    """What a state does with it."""

    COLLECT = "it belongs to the answer"
    ANSWER = "the answer is whole"
    PAYLOAD = "write the payload"
    UNSOLICITED = "tell it"
    STRAY = "nobody waits for it: noise"
    LATE = "it belongs to the command that broke off"
    SILENCE = "once it is silent, the channel is synchronous"


_R, _H = Reaction, Heard
REACTIONS: Final[Mapping[ChannelState, Mapping[Heard, Reaction]]] = {
    ChannelState.IDLE: {
        _H.RESULT: _R.STRAY,
        _H.OWN: _R.UNSOLICITED,
        _H.PROMPT: _R.STRAY,
        _H.OTHER: _R.UNSOLICITED,
    },
    ChannelState.ASKED: {
        _H.RESULT: _R.ANSWER,
        _H.OWN: _R.COLLECT,
        _H.PROMPT: _R.STRAY,
        _H.OTHER: _R.UNSOLICITED,
    },
    ChannelState.PROMPTING: {
        _H.RESULT: _R.ANSWER,
        _H.OWN: _R.COLLECT,
        _H.PROMPT: _R.PAYLOAD,
        _H.OTHER: _R.UNSOLICITED,
    },
    ChannelState.SENT: {
        _H.RESULT: _R.ANSWER,
        _H.OWN: _R.COLLECT,
        _H.PROMPT: _R.STRAY,
        _H.OTHER: _R.UNSOLICITED,
    },
    ChannelState.DIRTY: {
        _H.RESULT: _R.LATE,
        _H.OWN: _R.LATE,
        _H.PROMPT: _R.STRAY,
        _H.OTHER: _R.UNSOLICITED,
    },
    ChannelState.SYNCING: {
        _H.RESULT: _R.SILENCE,
        _H.OWN: _R.LATE,
        _H.PROMPT: _R.STRAY,
        _H.OTHER: _R.UNSOLICITED,
    },
}
