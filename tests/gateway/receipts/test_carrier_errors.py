"""Error codes of carriers: composed of text and TLV, explained by a map or the GSM codes, taken apart again.

Source: SMPP v3.4 5.3.2.31, 3GPP TS 29.002 17.6.6. What must not enter: what becomes of a message.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.receipts.carrier_errors import CarrierError, ErrorMeaning, compose_error, explain, read_error

MAP = {
    "011": ErrorMeaning("absent subscriber", permanent=False),
    "3.9": ErrorMeaning("barred by us"),
    "42": ErrorMeaning("no such number"),
}


@pytest.mark.parametrize(
    ("error", "explained", "kind"),
    [
        ("011", "011: absent subscriber", "temporary"),
        ("42", "42: no such number", "permanent"),
        ("11", "11", "unmapped"),
        ("27/3.27", "27/3.27: absent subscriber", "temporary"),  # TS 29.002: absentSubscriber
        ("1/3.1", "1/3.1: unknown subscriber", "permanent"),
        ("077/3.9", "077/3.9: barred by us", "permanent"),  # the connector's own map first
        ("011/3.1", "011/3.1: absent subscriber", "temporary"),
        ("9/2.9", "9/2.9", "unmapped"),  # IS-95 is no GSM
        ("99/3.99", "99/3.99", "unmapped"),
    ],
)
def test_a_code_is_explained_by_the_connectors_map_then_by_the_network(error: str, explained: str, kind: str) -> None:
    assert explain(error, MAP) == (explained, kind)


@given(
    st.text("0123456789ABCdef", min_size=1, max_size=8).filter(lambda code: code.strip("0")),
    st.integers(0, 255),
    st.integers(1, 65535),
)
def test_what_was_composed_and_explained_is_read_again(code: str, network: int, number: int) -> None:
    value = bytes((network,)) + number.to_bytes(2, "big")
    composed = compose_error(code, value)
    explained, _ = explain(composed, {code: ErrorMeaning("anything: at/1.2 all")})
    assert read_error(explained) == read_error(composed) == CarrierError(code, (network, number))
    assert read_error(explained).network_error_code() == value
    assert read_error(compose_error(code, b"")) == CarrierError(code, None)


@pytest.mark.parametrize(
    "reason", ["validity ended in our queue", "no evidence", "ESME_RINVDSTADR", "sender_not_owned"]
)
def test_a_reason_of_our_own_has_no_code(reason: str) -> None:
    assert read_error(reason) == CarrierError("", None)
    assert read_error(reason).network_error_code() is None
