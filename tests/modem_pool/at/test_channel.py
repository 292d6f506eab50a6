"""The AT conversation: answers, what nobody asked for, and what becomes of an exchange that breaks off.

Source: ITU-T V.250 5.7; 3GPP TS 27.005 and 27.007; what modems do besides is named at each case.
What must not enter: ports, models.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modem_pool.at import commands as c
from modem_pool.at.channel import (
    ANSWER_LINES,
    PIECE_S,
    QUIET_S,
    SETTLE_S,
    STRING_LINES,
    TRIAL_S,
    TRIALS,
    Channel,
    NotNow,
)
from modem_pool.at.channel_states import REACTIONS, ChannelState, Heard
from modem_pool.at.commands import PROMPT_S, SEND_S, Command
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
from modem_pool.at.lines import LINE_OCTETS

SYNC = b"ATE0V1Q0\r"
# a DELIVER behind a service centre of 7 octets: 8 + 24 octets
PDU = "07911326040000F0" + "040B911346610089F60000208062917314080CC8F71D14969741"[:48]
SEND = c.send_message(24, PDU)


def idle(now: float = 0.0) -> Channel:
    """A channel that is synchronous."""
    channel = Channel(now)
    channel.tick(now)
    assert channel.data_to_send() == SYNC
    assert channel.receive_data(b"\r\nOK\r\n") == []
    assert channel.tick(now + SETTLE_S) == [Synchronised()]
    return channel


def asked(command: Command, now: float = 10.0) -> Channel:
    channel = idle()
    channel.tick(now)
    channel.ask(command)
    assert channel.data_to_send() == command.line.encode() + b"\r"
    return channel


def told(*lines: str) -> tuple[Information, ...]:
    return tuple(map(Information, lines))


# ---------------------------------------------------------------- the table


@pytest.mark.parametrize("state", ChannelState)
@pytest.mark.parametrize("heard", Heard)
def test_every_state_knows_what_to_do_with_everything_it_may_hear(state: ChannelState, heard: Heard) -> None:
    assert heard in REACTIONS[state]


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("command", "octets", "answered"),
    [
        (c.SIGNAL, b"\r\n+CSQ: 17,99\r\n\r\nOK\r\n", Answered(c.SIGNAL, "ok", told("+CSQ: 17,99"), said="OK")),
        (c.SIGNAL, b"AT+CSQ\r\r\n+CSQ: 17,99\r\n\r\nOK\r\n", Answered(c.SIGNAL, "ok", told("+CSQ: 17,99"), said="OK")),
        (c.SIGNAL, b"\0\0\xff\r\n+CSQ: 3\r\nOK\r\n", Answered(c.SIGNAL, "ok", told("+CSQ: 3"), said="OK")),
        (c.PIN_STATE, b"+CME ERROR: 10\r\n", Answered(c.PIN_STATE, "cme", (), 10, "+CME ERROR: 10")),
        (c.PIN_STATE, b"+CME ERROR: SIM busy\r\n", Answered(c.PIN_STATE, "cme", (), -1, "+CME ERROR: SIM busy")),
        (c.SIGNAL, b"COMMAND NOT SUPPORT\r\n", Answered(c.SIGNAL, "error", (), said="COMMAND NOT SUPPORT")),
        (c.MAKER, b"Quectel\r\nOK\r\n", Answered(c.MAKER, "ok", told("Quectel"), said="OK")),
        (c.SUBSCRIBER, b"208011234567890\r\nOK\r\n", Answered(c.SUBSCRIBER, "ok", told("208011234567890"), said="OK")),
        (c.dial("100"), b"NO CARRIER\r\n", Answered(c.dial("100"), "call_ended", (), said="NO CARRIER")),
        (c.read_message(3), b"\r\nOK\r\n", Answered(c.read_message(3), "ok", (), said="OK")),  # an empty slot
    ],
)
def test_a_command_gets_its_lines_and_its_result(command: Command, octets: bytes, answered: Answered) -> None:
    channel = asked(command)
    events = [event for event in channel.receive_data(octets) if not isinstance(event, Unsolicited)]
    assert events == [answered]
    assert channel.state is ChannelState.IDLE
    assert channel.next_deadline() is None


@pytest.mark.parametrize(
    ("line", "is_own"),
    [
        ("+CREG: 0,1", True),
        ('+CREG: 2,5,"00A1","000F3201"', True),
        ("+CREG: 2,1,00A1,3201", True),
        ("+CREG: 1", False),
        ('+CREG: 1,"00A1","3201"', False),
        ("+CREG: 1,00A1,3201", False),
    ],
)
def test_an_unsolicited_registration_is_not_the_answer(line: str, is_own: bool) -> None:
    channel = asked(c.REGISTRATION)
    events = channel.receive_data(f"\r\n{line}\r\n\r\nOK\r\n".encode())
    if is_own:
        assert events == [Answered(c.REGISTRATION, "ok", told(line), said="OK")]
    else:
        assert events == [Unsolicited(line), Answered(c.REGISTRATION, "ok", (), said="OK")]


def test_messages_come_with_their_pdus_and_others_between_them() -> None:
    channel = asked(c.LIST_ALL)
    events = channel.receive_data(
        f'+CMGL: 1,1,,24\r\n+CMTI: "SM",9\r\n{PDU}\r\n+CMGL: 2,1,,24\r\n+CMT: ,24\r\n{PDU}\r\n{PDU}\r\n'
        "^RSSI:17\r\nOK\r\n".encode()
    )
    assert events == [
        Unsolicited('+CMTI: "SM",9'),
        Unsolicited("+CMT: ,24", PDU),
        Unsolicited("^RSSI:17"),
        Answered(c.LIST_ALL, "ok", (Information("+CMGL: 1,1,,24", PDU), Information("+CMGL: 2,1,,24", PDU)), said="OK"),
    ]


def test_a_result_between_a_header_and_its_pdu_parts_neither() -> None:
    channel = asked(c.SIGNAL)
    assert channel.receive_data(b"+CSQ: 9,9\r\n+CDS: 24\r\n\r\nOK\r\n") == [
        Answered(c.SIGNAL, "ok", told("+CSQ: 9,9"), said="OK")
    ]
    assert channel.receive_data(PDU.encode() + b"\r\n") == [Unsolicited("+CDS: 24", PDU)]


def test_digits_that_a_command_asked_for_are_no_pdu() -> None:
    channel = asked(c.CARD)
    assert channel.receive_data(b"+CDS: 24\r\n89330123456789012345\r\n" + PDU.encode() + b"\r\nOK\r\n") == [
        Unsolicited("+CDS: 24", PDU),
        Answered(c.CARD, "ok", told("89330123456789012345"), said="OK"),
    ]


def test_a_header_without_its_pdu_is_told_cut() -> None:
    channel = idle()
    assert channel.receive_data(b"+CMT: ,24\r\n") == []
    assert channel.next_deadline() == PIECE_S + SETTLE_S
    assert channel.tick(PIECE_S + SETTLE_S) == [Unsolicited("+CMT: ,24", is_cut=True)]


def test_an_answer_has_a_limit() -> None:
    channel = asked(c.LIST_ALL)
    events = channel.receive_data(f"+CMGL: 1,1,,24\r\n{PDU}\r\n".encode() * (ANSWER_LINES + 1) + b"OK\r\n")
    assert [type(event) for event in events] == [Noise, Answered]
    assert isinstance(events[1], Answered)
    assert len(events[1].lines) == ANSWER_LINES


# ---------------------------------------------------------------- sending


@pytest.mark.parametrize("prompt", [b"\r\n> ", b">", b"\r\n>\r\n", b'\r\n+CMTI: "SM",1\r\n\r\n> '])
def test_the_payload_follows_the_prompt(prompt: bytes) -> None:
    channel = asked(SEND)
    channel.receive_data(prompt)
    assert channel.data_to_send() == PDU.encode() + b"\x1a"
    assert channel.next_deadline() == 10.0 + SEND_S
    events = channel.receive_data(b'\r\n+CMTI: "SM",2\r\n+CMGS: 255\r\n\r\nOK\r\n')
    assert events == [Unsolicited('+CMTI: "SM",2'), Answered(SEND, "ok", told("+CMGS: 255"), said="OK")]


def test_the_echo_of_a_payload_is_none_of_its_answer() -> None:
    channel = asked(SEND)
    channel.receive_data(SEND.line.encode() + b"\r\r\n> ")
    channel.data_to_send()
    assert channel.receive_data(PDU.encode() + b"\x1a\r\n+CMGS: 7\r\nOK\r\n") == [
        Answered(SEND, "ok", told("+CMGS: 7"), said="OK")
    ]


@pytest.mark.parametrize(
    ("octets", "verdict", "code"),
    [(b"+CMS ERROR: 500\r\n", "cms", 500), (b"ERROR\r\n", "error", -1), (b"OK\r\n", "error", -1)],
)
def test_a_result_in_place_of_the_prompt_sent_nothing(octets: bytes, verdict: str, code: int) -> None:
    channel = asked(SEND)
    (answered,) = channel.receive_data(octets)
    assert isinstance(answered, Answered)
    assert (answered.verdict, answered.code) == (verdict, code)
    assert channel.data_to_send() == b""


def test_without_a_prompt_nothing_was_sent_and_the_modem_is_told_to_give_up() -> None:
    channel = asked(SEND)
    assert channel.tick(10.0 + PROMPT_S) == [TimedOut(SEND, is_written=False)]
    assert channel.data_to_send() == b"\x1b"
    assert channel.state is ChannelState.DIRTY


def test_without_a_result_after_the_payload_nobody_can_tell() -> None:
    channel = asked(SEND)
    channel.receive_data(b"> ")
    channel.data_to_send()
    assert channel.tick(10.0 + SEND_S) == [TimedOut(SEND, is_written=True)]
    assert channel.data_to_send() == b""
    assert channel.receive_data(b"+CMGS: 12\r\n\r\nOK\r\n") == [
        LateAnswer(SEND, Information("+CMGS: 12")),
        LateAnswer(SEND, Information("OK")),
    ]


# ---------------------------------------------------------------- strings of the network


@pytest.mark.parametrize(
    "said",
    [
        '+CUSD: 1,"Menu\n1. Solde\n2. Forfaits",15',
        '+CUSD: 0,"Your "special" offer",15',
        '+CUSD: 0,"Votre solde: 150 F",15',
        "+CUSD: 2",
        '+CUSD: 0,"",',
    ],
)
def test_a_string_is_read_to_its_end_over_lines_and_quotes(said: str) -> None:
    channel = asked(c.ask_supplementary("*124#"))
    events = channel.receive_data(b"\r\n" + said.replace("\n", "\r\n").encode() + b"\r\n\r\nOK\r\n")
    events += channel.tick(10.0 + PIECE_S)
    assert [event for event in events if isinstance(event, Unsolicited)][0].text == said
    assert isinstance(events[-1], Answered)


def test_a_string_without_an_end_is_told_cut_and_takes_nothing_along() -> None:
    channel = asked(c.ask_supplementary("*124#"))
    assert channel.receive_data(b'+CUSD: 0,"Dodatko\r\nOK\r\n') == []
    assert channel.tick(10.0 + PIECE_S) == [
        Unsolicited('+CUSD: 0,"Dodatko', is_cut=True),
        Answered(c.ask_supplementary("*124#"), "ok", (), said="OK"),
    ]


def test_a_string_has_a_limit_of_lines() -> None:
    channel = idle()
    events = channel.receive_data(b'+CUSD: 0,"a\r\n' + b"b\r\n" * (STRING_LINES + 1))
    assert events[0] == Unsolicited('+CUSD: 0,"a', is_cut=True)
    assert len(events) == STRING_LINES + 2


# ---------------------------------------------------------------- what broke off


def test_a_new_channel_is_dirty_until_one_trial_was_answered_and_then_silence() -> None:
    channel = Channel(0.0)
    with pytest.raises(NotNow):
        channel.ask(c.SIGNAL)
    channel.tick(0.0)
    assert channel.data_to_send() == SYNC
    assert channel.receive_data(b"RDY\r\nATE0V1Q0\r\r\nOK\r\n") == [Unsolicited("RDY")]
    assert channel.tick(SETTLE_S / 2) == []
    assert channel.tick(SETTLE_S) == [Synchronised()]


def test_a_late_result_is_not_taken_for_that_of_the_trial() -> None:
    channel = asked(c.SIGNAL)
    assert channel.tick(15.0) == [TimedOut(c.SIGNAL, is_written=False)]
    channel.tick(15.0 + QUIET_S)
    assert channel.data_to_send() == SYNC
    assert channel.receive_data(b"+CSQ: 9,9\r\nOK\r\n") == [LateAnswer(c.SIGNAL, Information("+CSQ: 9,9"))]
    channel.tick(16.2)
    assert channel.receive_data(b"OK\r\n") == []  # the trial's own
    assert channel.tick(16.2 + SETTLE_S / 2) == []
    assert channel.tick(16.2 + SETTLE_S) == [Synchronised()]
    channel.ask(c.SIGNAL)
    assert channel.receive_data(b"+CSQ: 1,1\r\nOK\r\n") == [Answered(c.SIGNAL, "ok", told("+CSQ: 1,1"), said="OK")]


def test_who_answers_no_trial_is_unresponsive_and_may_be_tried_again() -> None:
    channel = Channel(0.0)
    events: list[Event] = []
    for trial in range(TRIALS + 1):
        events += channel.tick(trial * TRIAL_S)
    assert events == [Unresponsive()]
    assert channel.data_to_send() == SYNC + (b"\x1b" + SYNC) * (TRIALS - 1)
    assert channel.next_deadline() is None
    channel.resynchronise()
    channel.tick(100.0)
    assert channel.data_to_send() == SYNC


def test_a_cancelled_exchange_makes_the_channel_dirty() -> None:
    channel = asked(c.SIGNAL)
    assert channel.cancel() is False
    assert channel.state is ChannelState.DIRTY
    channel = asked(SEND)
    channel.receive_data(b"> ")
    assert channel.cancel() is True
    assert idle().cancel() is False


def test_what_nobody_waits_for_is_noise() -> None:
    channel = idle()
    assert channel.receive_data(b"OK\r\n") == [Noise("stray_result", 2)]
    assert channel.receive_data(b"x" * (LINE_OCTETS + 1)) == [Noise("no_line_end", LINE_OCTETS)]
    assert channel.receive_data(b"NO CARRIER\r\n") == [Unsolicited("NO CARRIER")]


# ---------------------------------------------------------------- whatever comes, however it is cut


@given(
    st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([b"OK\r\n", b"> ", b'+CUSD: 1,"a', b"+CMT: ,3\r\n"])))
)
def test_any_octets_give_events_and_nothing_else(chunks: list[bytes]) -> None:
    for command in (None, c.SIGNAL, SEND, c.LIST_ALL):
        channel, now = idle(), 10.0
        channel.tick(now)
        if command is not None:
            channel.ask(command)
        for chunk in chunks:
            now += 0.7
            channel.tick(now)
            channel.receive_data(chunk)
            channel.data_to_send()
        channel.next_deadline()


URCS = (
    '+CMTI: "SM",{n}',
    "RING",
    "^RSSI:{n}",
    '+CREG: 1,"00A1","{n:04X}"',
    "+QIND: SMS DONE",
    f"+CMT: ,24\r\n{PDU}",
    f"+CDS: 24\r\n{PDU}",
    '+CUSD: 1,"Menu\r\n{n}. Solde",15',
)
QUESTIONS = (
    (c.SIGNAL, ["+CSQ: {n},99"]),
    (c.REGISTRATION, ["+CREG: 0,{n}"]),
    (c.MODEL, ["Model {n}"]),
    (c.LIST_ALL, [f"+CMGL: {{n}},1,,24\r\n{PDU}"] * 3),
    (c.delete_message(1), []),
    (SEND, ["+CMGS: {n}"]),
)


def converse(chance: random.Random, exchanges: int, most_octets: int) -> int:
    """Exchanges with unsolicited lines anywhere between lines, cut anywhere; how many lines there were. Asserts."""
    channel, now, lines_said = idle(), 10.0, 0
    for number in range(exchanges):
        now += 0.01
        channel.tick(now)
        command, shapes = chance.choice(QUESTIONS)
        n = number % 90 + 1
        own = [shape.format(n=n) for shape in shapes]
        said, urcs = [], []
        for line in [*own, "OK"]:
            for _ in range(chance.choice((0, 0, 1, 2))):
                urcs.append(chance.choice(URCS).format(n=n))
                said.append(urcs[-1])
            said.append(line)
        channel.ask(command)
        channel.data_to_send()
        octets = "".join(f"\r\n{line}\r\n" for line in said).encode()
        if command.payload:
            octets = b"\r\n> " + octets
        events: list[Event] = []
        while octets:
            cut = chance.randint(1, most_octets)
            events += channel.receive_data(octets[:cut])
            octets = octets[cut:]
        heard = [event for event in events if isinstance(event, Unsolicited)]
        assert [f"{each.text}\r\n{each.pdu}" if each.pdu else each.text.replace("\n", "\r\n") for each in heard] == urcs
        (answered,) = [event for event in events if not isinstance(event, Unsolicited)]
        assert isinstance(answered, Answered)
        assert answered.command is command
        assert [f"{each.text}\r\n{each.pdu}" if each.pdu else each.text for each in answered.lines] == own
        lines_said += len(said)
    return lines_said


@pytest.mark.parametrize("most_octets", [1, 7, 4000])
def test_no_answer_is_ever_paired_with_another_command(most_octets: int) -> None:
    assert converse(random.Random(most_octets), 1000, most_octets) > 3000


if __name__ == "__main__":  # a million lines: python -m tests.modem_pool.at.test_channel
    print(converse(random.Random(1), 400_000, 64), "lines, none mispaired")  # noqa: T201
