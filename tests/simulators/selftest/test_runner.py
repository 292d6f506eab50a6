"""The judge is judged: each kind of wrongness is caught and named, what is right holds, what was not played says so.

What belongs here: a wrong SMSC (scripted_smsc.py), a right one (the simulator), and the words of the report.
What must not enter: what our own server answers (tests/gateway/ingress/test_smpp_answers.py).
"""

from __future__ import annotations

import dataclasses
import ssl
from pathlib import Path

import pytest

from simulators.selftest import Outcome, Subject, Timers, Verdict, judge, load_cases, report
from simulators.selftest.cases import VENDOR_STATUSES, Table
from simulators.selftest.octets import frame, octets_of
from simulators.selftest.runner import OCTETS, WHOLE, reach, subjects_of
from simulators.smsc import SimulatedSmsc, SmscSettings
from tests.simulators.selftest.scripted_smsc import BINDS, ENQUIRE_LINK, UNBIND, ScriptedSmsc, Wish, good
from tests.tls_material import make_authority, make_certificate

SUBMIT, SUBMIT_RESP, NACK = 0x04, 0x80000004, 0x80000000
WITHIN_S = 1.0  # the limit of a case that waits in vain
TABLE = load_cases()


def hurried(table: Table) -> Table:
    """The table with a limit that a test can wait for."""
    return dataclasses.replace(table, cases=tuple(dataclasses.replace(case, within_s=WITHIN_S) for case in table.cases))


def subject_at(port: int) -> Subject:
    return Subject(host="127.0.0.1", port=port, system_id="me", password="secret")


async def judged(name: str, smsc: ScriptedSmsc, manner: str = WHOLE, hurry: bool = False, **more: object) -> Outcome:
    table = hurried(TABLE) if hurry else TABLE
    async with smsc.open() as port:
        [outcome] = await judge(subject_at(port), table, only={name}, manners=(manner,), **more)  # type: ignore[arg-type]  # options of judge()
    return outcome


def always(octets: bytes | None) -> Wish:
    return lambda command_id, sequence_number: octets


def submit_resp(body: bytes = b"id\0", status: int = 0, shift: int = 0, command_id: int = SUBMIT_RESP) -> Wish:
    return lambda _, sequence_number: frame(command_id, status, sequence_number + shift, body)


def twice(command_id: int, sequence_number: int) -> bytes:
    return (good(command_id, sequence_number) or b"") * 2


WRONG = {
    "another status": ({SUBMIT: submit_resp(status=0x45)}, "another command_status"),
    "another sequence": ({SUBMIT: submit_resp(shift=1)}, "another sequence_number"),
    "another command": ({SUBMIT: submit_resp(command_id=NACK, body=b"")}, "another command_id"),
    "silence": ({SUBMIT: always(b"")}, "no submit_sm_resp 0x00 of sequence 7 within 1 s"),
    "the end instead of an answer": ({SUBMIT: always(None)}, "closed instead of submit_sm_resp"),
    "the end behind the answer": ({ENQUIRE_LINK: always(None)}, "closed instead of enquire_link_resp"),
    "an answer too many": ({SUBMIT: twice}, "submit_sm_resp 0x00 of sequence 7: another command_id"),
    "a string without NUL": ({SUBMIT: submit_resp(b"id")}, "a C-octet string without NUL"),
    "a success without message_id": ({SUBMIT: submit_resp(b"\0")}, "a success without message_id"),
    "octets behind the body": ({SUBMIT: submit_resp(b"id\0\0\0\0")}, "no TLV"),
    "a length too small": ({SUBMIT: always(b"\0\0\0\x0f\x80\0\0\x04" + bytes(8))}, "a command_length of 15"),
    "a length too large": ({SUBMIT: always(b"\x7f\0\0\0\x80\0\0\x04" + bytes(8))}, "a command_length of 2130706432"),
    "an unbind of its own": (
        {SUBMIT: always(frame(UNBIND, 0, 1, b""))},
        "unbind 0x00 of sequence 1: another command_id",
    ),
    "a bind refused": (dict.fromkeys(BINDS, lambda c, s: frame(c | NACK, 0x0D, s, b"")), "bind_transmitter_resp 0x0D"),
}


@pytest.mark.parametrize("kind", WRONG)
async def test_an_answer_that_is_wrong_is_named(kind: str) -> None:
    wishes, why = WRONG[kind]
    outcome = await judged("submit-on-a-transmitter", ScriptedSmsc(wishes), hurry=kind == "silence")
    assert outcome.verdict is Verdict.BROKEN
    assert why in outcome.why


@pytest.mark.parametrize("manner", [WHOLE, OCTETS])
async def test_an_answer_that_is_right_holds(manner: str) -> None:
    assert await judged("submit-on-a-transmitter", ScriptedSmsc({}), manner) == Outcome(
        name="submit-on-a-transmitter",
        situation="a submission that nothing is wrong with",
        manner=manner,
        verdict=Verdict.HELD,
        took_s=pytest.approx(0, abs=5),
    )


async def test_a_server_that_takes_each_read_for_a_pdu_is_caught_by_single_octets_only() -> None:
    smsc = ScriptedSmsc({}, whole_reads=True)
    assert (await judged("enquire-link-before-bind", smsc)).verdict is Verdict.HELD
    assert (await judged("enquire-link-before-bind", smsc, OCTETS, hurry=True)).verdict is Verdict.BROKEN


async def test_who_keeps_open_what_is_to_be_closed_is_caught() -> None:
    outcome = await judged("unbind", ScriptedSmsc({}, never_closes=True))
    assert outcome.why.startswith("the connection is still open")


async def test_the_end_inside_a_pdu_is_caught() -> None:
    half = always(frame(SUBMIT_RESP, 0, 7, b"id\0")[:9])
    outcome = await judged("submit-on-a-transmitter", ScriptedSmsc({SUBMIT: half}, patience_s=1.0))
    assert outcome.why == "the connection ended inside a PDU"


async def test_words_before_the_end_are_caught() -> None:
    outcome = await judged("unbind", ScriptedSmsc({UNBIND: twice}))
    assert outcome.why == "unbind_resp 0x00 of sequence 7 where only the end was due"


@pytest.mark.parametrize(
    ("patience_s", "why"), [(1.0, ""), (0.2, "closed after 0."), (None, "the connection is still open after 3.")]
)
async def test_a_timer_ends_neither_early_nor_late(patience_s: float | None, why: str) -> None:
    outcome = await judged("no-bind", ScriptedSmsc({}, patience_s), timers=Timers(bind_s=1.0))
    assert outcome.why.startswith(why)
    assert (outcome.verdict is Verdict.HELD) == (why == "")


async def test_tlvs_are_asked_for_and_forbidden() -> None:
    wrong = await judged("version-0x33", ScriptedSmsc({}))
    assert wrong.why.startswith("bind_transceiver_resp 0x00 of sequence 7: TLV 0x0210 towards a peer that knows none")
    assert (await judged("version-0x34", ScriptedSmsc({}))).verdict is Verdict.HELD
    silent = ScriptedSmsc(dict.fromkeys(BINDS, submit_resp(b"smsc\0", command_id=0x80000001)))
    assert "no TLV 0210 0001 34" in (await judged("version-0x34", silent)).why


async def test_the_order_and_the_mix_of_answers_are_looked_at() -> None:
    held: list[bytes] = []

    def hold(command_id: int, sequence_number: int) -> bytes:
        held.append(good(command_id, sequence_number) or b"")
        return b""

    def unbind_first(command_id: int, sequence_number: int) -> bytes:
        return (good(command_id, sequence_number) or b"") + b"".join(held)

    outcome = await judged("unbind-behind-submissions", ScriptedSmsc({SUBMIT: hold, UNBIND: unbind_first}))
    assert outcome.why == "unbind_resp is not the last answer"
    outcome = await judged("over-the-rate", ScriptedSmsc({}), conditions={"rate": subject_at(0)})
    assert outcome.verdict is Verdict.BROKEN
    async with ScriptedSmsc({}).open() as port:
        subject = subject_at(port)
        [outcome] = await judge(subject, TABLE, only={"over-the-rate"}, conditions={"rate": subject})
    assert outcome.why == "0x00000058 is not among the answers"


async def test_questions_of_the_smsc_are_answered_and_are_no_answers() -> None:
    asked: list[int] = []

    def ask_back(command_id: int, sequence_number: int) -> bytes:
        questions = frame(0x05, 0, 1, b"") + frame(ENQUIRE_LINK, 0, 2, b"") + frame(0x102, 0, 3, b"")
        return questions + (good(command_id, sequence_number) or b"")

    def note(command_id: int, sequence_number: int) -> bytes:
        asked.append(sequence_number)
        return b""

    wishes: dict[int, Wish] = {SUBMIT: ask_back, 0x80000005: note, 0x80000015: note}
    assert (await judged("submit-on-a-transmitter", ScriptedSmsc(wishes))).verdict is Verdict.HELD
    assert asked == [1, 2]


async def test_what_is_not_played_is_never_held() -> None:
    async with ScriptedSmsc({}).open() as port:
        names = {"no-credit", "outcome-of-commit-unknown", "delivery-not-answered", "enquire-link-never-answered"}
        outcomes = await judge(subject_at(port), TABLE, only=names | {"sequence-0"})
    told = {outcome.name: (outcome.verdict, outcome.why) for outcome in outcomes}
    assert told["no-credit"] == (Verdict.SKIPPED, "needs a login for the condition no_credit")
    assert told["outcome-of-commit-unknown"][0] is Verdict.NOT_JUDGED
    assert told["delivery-not-answered"][0] is Verdict.NOT_JUDGED
    assert told["enquire-link-never-answered"] == (Verdict.SKIPPED, "takes 90 s: played when slow cases are wished")
    assert report.counts(outcomes) == {"held": 1, "broken": 0, "skipped": 2, "not judged yet": 2}


async def test_what_was_submitted_first_is_named_by_its_id_and_taken_back() -> None:
    asked: list[bytes] = []

    def note(command_id: int, sequence_number: int) -> bytes:
        asked.append(sequence_number.to_bytes(4))
        return good(command_id, sequence_number) or b""

    wishes: dict[int, Wish] = {0x03: query_resp(b"id\0\0\x01\0"), 0x08: note}
    assert (await judged("query-of-a-waiting-message", ScriptedSmsc(wishes))).verdict is Verdict.HELD
    assert len(asked) == 1, "what waits is cancelled"
    wishes = {0x03: query_resp(b"id\0\0\x02\0")}
    outcome = await judged("query-of-a-waiting-message", ScriptedSmsc(wishes))
    assert outcome.why == "query_sm_resp 0x00 of sequence 7: a body that does not end with 00 01 00; expected " + (
        "query_sm_resp 0x00 of sequence 7"
    )
    refused = ScriptedSmsc({SUBMIT: submit_resp(b"", status=0x61)})
    assert (await judged("query-of-a-waiting-message", refused)).why.startswith("submit_sm_resp 0x61 of sequence 7")


def query_resp(body: bytes) -> Wish:
    return lambda _, sequence_number: frame(0x80000003, 0, sequence_number, body)


@pytest.mark.parametrize("manner", [WHOLE, OCTETS])
async def test_a_table_is_played_over_tls(manner: str, tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    certificate = make_certificate(tmp_path, authority)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate.certificate, certificate.key)
    only = {"submit-on-a-transmitter", "unbind", "sequence-0"}
    async with ScriptedSmsc({}, tls=served).open() as port:
        trusting = dataclasses.replace(subject_at(port), tls=ssl.create_default_context(cafile=authority.certificate))
        outcomes = await judge(trusting, TABLE, only=only, manners=(manner,))
        assert [outcome.verdict for outcome in outcomes] == [Verdict.HELD] * len(only)
        strict = dataclasses.replace(trusting, tls=ssl.create_default_context())
        assert "CERTIFICATE_VERIFY_FAILED" in await reach(strict, TABLE)
        assert await reach(subject_at(port), TABLE) != "", "who speaks no TLS is not understood"


async def test_who_cannot_be_reached_is_not_judged() -> None:
    async with ScriptedSmsc({}).open() as port:
        assert await reach(subject_at(port), TABLE) == ""
    assert (await reach(subject_at(port), TABLE)).startswith("no connection")


# Operations that the simulator does not serve: it answers each with the status of its failure.
NOT_SERVED = {
    case.name
    for case in TABLE.cases
    if {sent.pdu for sent in case.sent} & {"query_sm", "cancel_sm", "replace_sm", "submit_multi"}
    and case.situation not in ("truncated mandatory body", "operation before bind", "submit on a receiver bind")
    and case.name
    not in (
        "multi-to-nobody",
        "multi-to-255",
        "multi-with-a-bad-flag",
        "query-id-too-long",
        "cancel-without-an-id-of-none",
    )
} | {"replace-flag-finds-one"}
# Where the simulator is no judge of fields and logins: it takes any, as a carrier's test bench should.
FIELDS = {
    *("source-is-no-number", "destination-empty", "destination-is-no-number", "destination-of-twenty-digits"),
    *("source-ton", "source-npi", "destination-ton", "destination-npi", "esm-class", "priority", "service-type"),
    *("registered-delivery", "replace-flag", "default-message-id", "schedule-is-no-time", "validity-is-no-time"),
    *(
        "validity-before-the-schedule",
        "times-out-of-range",
        "validity-past",
        "data-coding-on-3.4",
        "data-coding-on-5.0",
        "udh-longer-than-the-message",
    ),
    *("udh-of-an-empty-message", "payload-wins-over-a-good-short-message"),
}


async def test_the_smsc_simulator_breaks_nothing_but_rules_of_fields(tmp_path: Path) -> None:
    settings = SmscSettings.parse(system_id="me", password="secret", log=tmp_path / "smsc.jsonl", log_fsync=False)
    waiting = {case.name for case in TABLE.cases if case.timer}  # its timers are fixed at 10 s and 60 s
    async with SimulatedSmsc(settings) as smsc:
        outcomes = await judge(
            subject_at(smsc.port),
            TABLE,
            only={case.name for case in TABLE.cases} - waiting,
            manners=(WHOLE, OCTETS),
            binds=20,
        )
    broken = {outcome.name: outcome.why for outcome in outcomes if outcome.verdict is Verdict.BROKEN}
    assert set(broken) == FIELDS | NOT_SERVED - {case.name for case in TABLE.cases if case.needs}, broken
    assert report.counts(outcomes)["held"] > 150


def test_every_row_of_the_table_is_well_formed() -> None:
    facts = dataclasses.replace(subject_at(1), message_id="1").facts() | {"own_id": b"1", "nonce": b"ABCDE"}
    names = [case.name for case in TABLE.cases]
    assert len(set(names)) == len(names)
    assert len(names) >= 90
    for case in TABLE.cases:
        for sent in (*case.first, *case.sent):
            assert TABLE.octets(sent, facts)
        for expected in case.expected:
            assert expected.pdu in TABLE.pdus
            octets_of(expected.tlv, facts)
        assert not case.last or case.last in {expected.pdu for expected in case.expected}
    # a permanent refusal never says "later", a temporary one never says "never" (the table's own rule)
    assert not {0x08, 0x14, 0x58, 0x64} & VENDOR_STATUSES


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('bend = "open"', "bend"),
        ('send = [{ pdu = "submit" }]', "submit is no PDU"),
        ('send = [{ pdu = "submit_sm", colour = "01" }]', "colour"),
        ('answer = [{ pdu = "submit_sm_resp", colour = 1 }]', "colour"),
    ],
)
def test_a_table_that_is_not_understood_is_refused_by_case_and_key(line: str, why: str, tmp_path: Path) -> None:
    table = tmp_path / "cases.toml"
    text = "[pdu.submit_sm]\ncommand_id = 4\nbody = {}\n[pdu.submit_sm_resp]\ncommand_id = 0x80000004\nbody = {}\n"
    table.write_text(text + f'[[case]]\nname = "odd"\nsituation = "odd"\n{line}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=f"case odd: .*{why}"):
        load_cases(table)


@pytest.mark.parametrize(
    ("words", "octets"),
    [
        ("00 0A0b", b"\0\x0a\x0b"),
        ("'a b' 00", b"a b\0"),
        ("{source} 00", b"ME\0"),
        ("41*3 'xy'*2", b"AAAxyxy"),
        ("", b""),
    ],
)
def test_words_become_octets(words: str, octets: bytes) -> None:
    assert octets_of(words, {"source": b"ME"}) == octets


@pytest.mark.parametrize("words", ["0", "0G", "'open", "{nobody}", "41*", "abc"])
def test_words_that_are_none_are_refused(words: str) -> None:
    with pytest.raises(ValueError, match=r"neither|nothing is known"):
        octets_of(words, {})


def test_conditions_differ_from_the_ordinary_login_in_what_they_say() -> None:
    subject = subject_at(7)
    assert subjects_of(subject, {"no_route": {"destination": "33"}}) == {
        "no_route": dataclasses.replace(subject, destination="33")
    }
    with pytest.raises(ValueError, match="colour"):
        subjects_of(subject, {"no_route": {"colour": "33"}})


def test_the_judge_shares_no_code_with_the_server_it_judges() -> None:
    for file in Path(judge.__code__.co_filename).parent.glob("*.py"):
        source = file.read_text(encoding="utf-8")
        assert "import gateway" not in source, file
        assert "from gateway" not in source, file
