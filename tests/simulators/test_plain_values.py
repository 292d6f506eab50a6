"""How settings are written: notations accepted, faults named with a suggestion.

What must not enter: what settings do.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.esme import EsmeSettings
from simulators.plain_values import Endpoint, Milliseconds, Mix
from simulators.smsc import SmscSettings


def test_span_is_one_number_or_two() -> None:
    assert Milliseconds.parse("20..200") == Milliseconds(20.0, 200.0)
    assert Milliseconds.parse(5) == Milliseconds(5.0, 5.0)
    assert str(Milliseconds.parse("20..200")) == "20..200"


@pytest.mark.parametrize("text", ["", "..", "5..1", "-1", "1..inf", "nan", "a..b"])
def test_span_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - float() has its own words
        Milliseconds.parse(text)


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1e6), st.floats(0, 1e6))
@settings(max_examples=50)
def test_drawn_span_lies_within_its_ends(drawn: float, one: float, other: float) -> None:
    span = Milliseconds(min(one, other), max(one, other))
    assert span.low <= span.draw(lambda: drawn) <= span.high * (1 + 1e-9)


def test_fixed_span_takes_no_chance() -> None:
    assert Milliseconds(7.0, 7.0).draw(lambda: pytest.fail("chance was taken")) == 7.0


def test_mix_picks_by_share_and_leaves_the_rest() -> None:
    mix = Mix.parse("0x08=0.25, 0x45=0.5")
    assert [mix.pick(drawn) for drawn in (0.0, 0.24, 0.25, 0.74, 0.75, 0.99)] == [
        *("0x08", "0x08", "0x45", "0x45"),
        *(None, None),
    ]
    assert str(mix) == "0x08=0.25,0x45=0.5"
    assert Mix.parse("") == Mix()


@pytest.mark.parametrize("text", ["0x08", "0x08=2", "a=0.6,b=0.6", "=0.5", "a=x"])
def test_mix_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - float() has its own words
        Mix.parse(text)


def test_endpoint_is_host_and_port_also_of_ipv6() -> None:
    assert Endpoint.parse("127.0.0.1:2775") == Endpoint("127.0.0.1", 2775)
    assert Endpoint.parse("[::1]:0") == Endpoint("::1", 0)
    assert str(Endpoint("::1", 5)) == "[::1]:5"
    for text in ("2775", "host:", "host:70000", "host:x"):
        with pytest.raises(ValueError, match="HOST:PORT"):
            Endpoint.parse(text)


def test_unknown_setting_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ValueError, match="did you mean 'silence'"):
        SmscSettings.parse(silense=0.5)
    with pytest.raises(ValueError, match="did you mean 'window'"):
        EsmeSettings.parse("127.0.0.1:1", windows=5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("silence", 1.5),
        ("error_mix", "0xZZ=0.1"),
        ("receipt_mix", "LOST=0.1"),
        ("id_dress", "roman"),
        ("tps", -1),
        ("congested", "perhaps"),
        ("window", "many"),
    ],
)
def test_bad_value_is_refused_by_the_name_of_its_setting(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{name}:"):
        SmscSettings.parse(**{name: value})


def test_what_is_fixed_at_start_cannot_be_changed_live() -> None:
    with pytest.raises(ValueError, match="unknown setting 'listen'"):
        SmscSettings().changed({"listen": "127.0.0.1:1"})
    assert SmscSettings().changed({"silence": 1.0}).silence == 1.0
