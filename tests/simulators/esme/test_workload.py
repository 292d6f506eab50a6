"""What the ESME submits: as many texts as asked, seeded, long ones in one PDU or cut into parts.

What must not enter: the wire.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.esme import EsmeSettings
from simulators.esme.settings import read_texts
from simulators.esme.workload import Submission, Workload
from simulators.texts import CUSTOMER_TEXTS


def submissions(**plain: object) -> list[Submission]:
    settings = EsmeSettings.parse("127.0.0.1:1", **plain)
    workload = Workload(settings, random.Random(settings.seed).random, "run")

    def drain() -> Iterator[Submission]:
        while (submission := workload.next()) is not None:
            yield submission
        assert workload.exhausted

    return list(drain())


def test_each_text_is_one_submission_when_whole() -> None:
    made = submissions(messages=2 * len(CUSTOMER_TEXTS))
    assert len(made) == 2 * len(CUSTOMER_TEXTS)
    assert len({submission.ref for submission in made}) == len(made)
    assert any(submission.pdu.tlvs for submission in made), "a text beyond short_message"
    for submission in made:
        assert (submission.pdu.short_message or submission.pdu.tlvs[0][1]) == submission.octets


def test_long_text_is_cut_into_parts_with_one_reference_and_number() -> None:
    made = submissions(messages=1, texts=("x" * 400,), long_texts="udh")
    assert [submission.octets[:6].hex() for submission in made] == ["050003010301", "050003010302", "050003010303"]
    assert {submission.pdu.esm_class for submission in made} == {0x40}
    assert len({submission.pdu.destination_addr for submission in made}) == 1
    assert sum(len(submission.octets) - 6 for submission in made) == 400


def test_same_seed_gives_the_same_numbers() -> None:
    def numbers(seed: int) -> list[str]:
        return [submission.pdu.destination_addr for submission in submissions(messages=20, seed=seed)]

    assert numbers(1) == numbers(1)
    assert numbers(1) != numbers(2)


def test_stopped_workload_ends_with_the_parts_it_began() -> None:
    settings = EsmeSettings.parse("127.0.0.1:1", messages=0, texts=("x" * 400,), long_texts="udh")
    workload = Workload(settings, random.Random(1).random, "run")
    assert workload.next() is not None
    workload.stop()
    assert not workload.exhausted
    assert [workload.next() is None for _ in range(3)] == [False, False, True]
    assert workload.exhausted


@pytest.mark.parametrize(
    ("source", "ton", "npi"), [("PASSERELLE", 5, 0), ("+22997000000", 1, 1), ("22997000000", 1, 1), ("36000", 3, 0)]
)
def test_sender_has_the_type_of_its_form(source: str, ton: int, npi: int) -> None:
    (submission,) = submissions(messages=1, source=source)
    assert (submission.pdu.source_addr_ton, submission.pdu.source_addr_npi) == (ton, npi)
    assert submission.pdu.source_addr == source.lstrip("+")


def test_texts_have_the_wanted_length_alphabet_and_class() -> None:
    (submission,) = submissions(messages=1, characters=160, traffic_class="transactional")
    assert (len(submission.octets), submission.pdu.data_coding) == (160, 0)
    assert submission.pdu.service_type == "trans"
    (submission,) = submissions(messages=1, characters=70, ucs2=True)
    assert (len(submission.octets), submission.pdu.data_coding) == (140, 8)


def test_texts_are_read_one_a_line(tmp_path: Path) -> None:
    file = tmp_path / "texts"
    file.write_text("Bonjour\\nà tous\n\nHello\n", "utf-8")
    assert read_texts(file) == ("Bonjour\nà tous", "Hello")
    file.write_text("\n", "utf-8")
    with pytest.raises(ValueError, match="holds no text"):
        read_texts(file)


def test_validity_is_a_relative_time_of_the_specification() -> None:
    assert submissions(messages=1)[0].pdu.validity_period == ""
    assert submissions(messages=1, validity_s=3_725)[0].pdu.validity_period == "000000010205000R"  # v3.4 7.1.1.2
