"""What an error of a modem means for the message and the SIM.

Source: 3GPP TS 27.005 3.2.5 and 27.007 9.2. What must not enter: the conversation (test_channel.py).
"""

from __future__ import annotations

import pytest

from modem_pool.at.causes import EQUIPMENT, SENDING, Remedy, cause_of_equipment, cause_of_sending


@pytest.mark.parametrize(
    ("remedy", "codes"),
    [
        ("number_bad", {1, 195, 196}),
        ("bar", {8, 10, 28, 29, 30, 50, 69, 193, 316}),
        ("cool", {21, 38, 41, 500}),
        ("our_bug", {81, 95, 96, 97, 99, 111, 304, 305, 321, 330, 340}),
    ],
)
def test_what_an_error_of_sending_asks_for(remedy: Remedy, codes: set[int]) -> None:
    assert {code for code, cause in SENDING.items() if cause.remedy == remedy} == codes


def test_what_no_table_knows_never_bars_a_sim_nor_blames_a_number() -> None:
    unknown = [cause_of_sending(code) for code in (-1, 2, 255, 511, 512, 515, 772, 99999) if code not in SENDING]
    unknown += [cause_of_equipment(code) for code in (-1, 5, 258, 700) if code not in EQUIPMENT]
    assert {cause.remedy for cause in unknown} == {"again_elsewhere", "cool"}


def test_a_sim_that_the_network_refuses_goes_to_a_person() -> None:
    assert {code for code, cause in EQUIPMENT.items() if cause.remedy == "bar"} == {12, 16, 32, 103, 106, 111, 262}
