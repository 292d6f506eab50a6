"""SMS TPDUs of 3GPP TS 23.040: known answers, every field there and back, any octets judged.

What must not enter: judges (test_judges.py and tests/interop).
"""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telecom.alphabets import DEFAULT_ALPHABET
from telecom.tpdu import (
    AbsoluteValidity,
    Deliver,
    EnhancedValidity,
    RelativeValidity,
    ServiceCentrePrefixed,
    StatusReport,
    Submit,
    TpduAddress,
    TpduMalformed,
    UserData,
    alphabet_of,
    decode_from_centre,
    decode_from_handset,
    decode_time,
    encode_deliver,
    encode_status_report,
    encode_submit,
    encode_time,
    minutes_of,
    prefix_service_centre,
    split_service_centre,
    text_of,
    validity_of,
)
from telecom.udh import Concatenation, InformationElement, concatenation_element, shift_elements

TO = TpduAddress(1, 1, "2290197123456")
PLUS_1 = timezone(timedelta(hours=1))


def submit_of(octets: str) -> Submit:
    found = decode_from_handset(bytes.fromhex(octets))
    assert isinstance(found, Submit)
    return found


def deliver_of(octets: str) -> Deliver:
    found = decode_from_centre(bytes.fromhex(octets))
    assert isinstance(found, Deliver)
    return found


# --- known answers ---

SUBMIT_HELLO = "01000b911326880736f40000" + "0ae8329bfd4697d9ec37"  # 9.2.2.2, text of 3GPP TS 23.038, 6.1.2.1.1


def test_submit_of_hellohello() -> None:
    submit = submit_of(SUBMIT_HELLO)
    assert submit.destination == TpduAddress(1, 1, "31628870634")
    assert text_of(submit.user_data, submit.data_coding_scheme) == "hellohello"
    assert encode_submit(submit).hex() == SUBMIT_HELLO


def test_deliver_with_odd_and_even_address() -> None:
    """9.2.2.1 and 9.1.2.5: eleven digits end in a filling semi-octet; the zone is two hours east (9.2.3.11)."""
    octets = "040b911346610089f60000208062917314800cc8f71d14969741f977fd07"
    deliver = deliver_of(octets)
    assert deliver.originator == TpduAddress(1, 1, "31641600986")
    assert deliver.service_centre_time == datetime(2002, 8, 26, 19, 37, 41, tzinfo=timezone(timedelta(hours=2)))
    assert text_of(deliver.user_data, 0) == "How are you?"
    assert not deliver.more_messages
    assert encode_deliver(deliver).hex() == octets


def test_alphanumeric_originator() -> None:
    """9.1.2.5: the length counts useful semi-octets of the packed text, 7 septets are 49 bits are 13."""
    deliver = Deliver(originator=TpduAddress(5, 0, "Airtime"), service_centre_time=None)
    octets = encode_deliver(deliver)
    assert octets[1:3].hex() == "0dd0"
    assert deliver_of(octets.hex()) == deliver
    assert encode_deliver(Deliver(originator=TpduAddress(5, 0, "ELEVEN CHAR"), service_centre_time=None))[1] == 20


def test_status_report_of_a_delivered_message() -> None:
    """9.2.2.3 with TP-ST 0 (9.2.3.15: received by the SME)."""
    octets = "062a0d91220991173254f6" + "62112140300040" + "62112140301540" + "00"
    report = decode_from_centre(bytes.fromhex(octets))
    assert report == StatusReport(
        message_reference=0x2A,
        recipient=TpduAddress(1, 1, "2290197123456"),
        service_centre_time=datetime(2026, 11, 12, 4, 3, 0, tzinfo=PLUS_1),
        discharge_time=datetime(2026, 11, 12, 4, 3, 51, tzinfo=PLUS_1),
        status=0,
    )
    assert isinstance(report, StatusReport)
    assert encode_status_report(report).hex() == octets


@pytest.mark.parametrize(
    ("octets", "time"),
    [
        ("62112140300040", datetime(2026, 11, 12, 4, 3, 0, tzinfo=PLUS_1)),
        ("99211332959500", datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("6211214030004a", datetime(2026, 11, 12, 4, 3, 0, tzinfo=timezone(timedelta(hours=-6)))),
        ("62112140300069", datetime(2026, 11, 12, 4, 3, 0, tzinfo=timezone(timedelta(hours=-4)))),
        ("6211214030002b", datetime(2026, 11, 12, 4, 3, 0, tzinfo=timezone(timedelta(hours=-8)))),
        ("62112140300041", datetime(2026, 11, 12, 4, 3, 0, tzinfo=timezone(timedelta(hours=3, minutes=30)))),
        ("6211214030004b", datetime(2026, 11, 12, 4, 3, 0, tzinfo=timezone(timedelta(hours=-8, minutes=-30)))),
    ],
)
def test_time_with_quarters_of_an_hour_on_both_sides(octets: str, time: datetime) -> None:
    """9.2.3.11: the zone in quarter hours, semi-octets swapped, bit 3 of the first one negative."""
    assert decode_time(bytes.fromhex(octets)) == time
    assert decode_time(bytes.fromhex(octets)).utcoffset() == time.utcoffset()  # type: ignore[union-attr]
    assert encode_time(time).hex() == octets


@pytest.mark.parametrize("octets", ["00000000000000", "62312140300040", "6211f140300040", "621121403000f0"])
def test_seven_octets_that_are_no_time(octets: str) -> None:
    assert decode_time(bytes.fromhex(octets)) is None


@pytest.mark.parametrize(
    "time", [datetime(1989, 12, 31), datetime(2090, 1, 1), datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=20)))]
)
def test_time_that_seven_octets_cannot_say(time: datetime) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        encode_time(time)


@pytest.mark.parametrize(
    ("octet", "minutes"),
    [
        (0, 5),
        (143, 720),
        (144, 750),
        (167, 1440),
        (168, 2 * 1440),
        (196, 30 * 1440),
        (197, 5 * 10080),
        (255, 63 * 10080),
    ],
)
def test_relative_validity(octet: int, minutes: int) -> None:
    """9.2.3.12.1."""
    assert minutes_of(RelativeValidity(octet)) == minutes
    assert validity_of(minutes) == RelativeValidity(octet)


@given(st.integers(-5, 63 * 10080))
@settings(max_examples=200)
def test_relative_validity_lasts_at_least_as_asked_and_no_step_more(minutes: int) -> None:
    validity = validity_of(minutes)
    assert minutes_of(validity) >= minutes
    assert validity.octet == 0 or minutes_of(RelativeValidity(validity.octet - 1)) < minutes


def test_longest_relative_validity_is_63_weeks() -> None:
    assert validity_of(10**9) == RelativeValidity(255)


@pytest.mark.parametrize(
    ("scheme", "alphabet"),
    [
        (0x00, "gsm7"),
        (0x04, "octets"),
        (0x08, "ucs2"),
        (0x0C, "gsm7"),
        (0x11, "gsm7"),
        (0x18, "ucs2"),
        (0x20, "octets"),
        (0x48, "ucs2"),
        (0x80, "gsm7"),
        (0xC8, "gsm7"),
        (0xD0, "gsm7"),
        (0xE0, "ucs2"),
        (0xF0, "gsm7"),
        (0xF5, "octets"),
    ],
)
def test_alphabet_of_a_scheme(scheme: int, alphabet: str) -> None:
    """3GPP TS 23.038, 4."""
    assert alphabet_of(scheme) == alphabet


def test_header_with_fill_bits() -> None:
    """9.2.3.24: six octets of header are 48 bits; one fill bit, and the text counts from the eighth septet."""
    part = UserData((concatenation_element(Concatenation(0xCC, 2, 1)),), b"hello")
    octets = encode_submit(Submit(destination=TO, user_data=part))
    assert octets[0] & 0x40
    assert octets[-12:].hex() == "0c050003cc0201" + "d06536fb0d"
    assert submit_of(octets.hex()).user_data == part


def test_national_text_is_read_with_its_tables() -> None:
    user_data = UserData(shift_elements(0, 1), b"\x1bgel")
    assert text_of(submit_of(encode_submit(Submit(destination=TO, user_data=user_data)).hex()).user_data, 0) == "ğel"


def test_ucs2_text_tolerates_an_odd_octet_and_a_lone_surrogate() -> None:
    assert text_of(UserData((), bytes.fromhex("006100")), 8) == "a"
    assert text_of(UserData((), bytes.fromhex("0061d83d")), 8) == "a\N{REPLACEMENT CHARACTER}"
    assert text_of(UserData((), b"\1\2"), 4) is None


def test_service_centre_in_front_of_a_tpdu() -> None:
    """3GPP TS 27.005: length in octets, type, digits; zero asks for the card's own centre."""
    assert split_service_centre(bytes.fromhex("07911326040000f0" + "01")) == ServiceCentrePrefixed(
        TpduAddress(1, 1, "31624000000"), b"\1"
    )
    assert split_service_centre(b"\0\1") == ServiceCentrePrefixed(None, b"\1")
    assert split_service_centre(b"\7\x91") == TpduMalformed("truncated")
    assert prefix_service_centre(TpduAddress(1, 1, "31624000000"), b"\1").hex() == "07911326040000f001"
    assert prefix_service_centre(None, b"\1") == b"\0\1"


# --- there and back ---

ADDRESSES = st.builds(
    TpduAddress, st.sampled_from([0, 1, 2, 3, 4, 6]), st.integers(0, 15), st.text("0123456789*#abc", max_size=20)
) | st.builds(
    TpduAddress,
    st.just(5),
    st.integers(0, 15),
    st.text(sorted(set(DEFAULT_ALPHABET) - {"\x1b"}), max_size=11),
)
ELEMENTS = st.lists(st.builds(InformationElement, st.integers(0, 255), st.binary(max_size=8)), max_size=3).map(tuple)
TIMES = st.none() | st.builds(
    lambda time, quarters: time.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=15 * quarters))),
    st.datetimes(datetime(1990, 1, 1), datetime(2089, 12, 31)),
    st.integers(-79, 79),
)
OCTET = st.integers(0, 255)
VALIDITIES = (
    st.none()
    | st.builds(RelativeValidity, OCTET)
    | st.builds(AbsoluteValidity, TIMES)
    | st.builds(EnhancedValidity, st.binary(min_size=7, max_size=7))
)


@st.composite
def user_data(draw: st.DrawFn, scheme: int) -> UserData:
    payload = draw(st.binary(max_size=100))
    if alphabet_of(scheme) == "gsm7":
        payload = bytes(octet & 0x7F for octet in payload)
    return UserData(draw(ELEMENTS), payload)


@given(st.data())
@settings(max_examples=200)
def test_submit_survives(data: st.DataObject) -> None:
    scheme = data.draw(OCTET)
    submit = Submit(
        destination=data.draw(ADDRESSES),
        user_data=data.draw(user_data(scheme)),
        message_reference=data.draw(OCTET),
        protocol_identifier=data.draw(OCTET),
        data_coding_scheme=scheme,
        validity=data.draw(VALIDITIES),
        reject_duplicates=data.draw(st.booleans()),
        reply_path=data.draw(st.booleans()),
        status_report_request=data.draw(st.booleans()),
    )
    assert decode_from_handset(encode_submit(submit)) == submit


@given(st.data())
@settings(max_examples=200)
def test_deliver_survives(data: st.DataObject) -> None:
    scheme = data.draw(OCTET)
    deliver = Deliver(
        originator=data.draw(ADDRESSES),
        service_centre_time=data.draw(TIMES),
        user_data=data.draw(user_data(scheme)),
        protocol_identifier=data.draw(OCTET),
        data_coding_scheme=scheme,
        more_messages=data.draw(st.booleans()),
        loop_prevention=data.draw(st.booleans()),
        reply_path=data.draw(st.booleans()),
        status_report_indication=data.draw(st.booleans()),
    )
    assert decode_from_centre(encode_deliver(deliver)) == deliver


@given(st.data())
@settings(max_examples=200)
def test_status_report_survives(data: st.DataObject) -> None:
    scheme = data.draw(st.none() | OCTET)
    report = StatusReport(
        message_reference=data.draw(OCTET),
        recipient=data.draw(ADDRESSES),
        service_centre_time=data.draw(TIMES),
        discharge_time=data.draw(TIMES),
        status=data.draw(OCTET),
        more_messages=data.draw(st.booleans()),
        loop_prevention=data.draw(st.booleans()),
        of_command=data.draw(st.booleans()),
        protocol_identifier=data.draw(st.none() | OCTET),
        data_coding_scheme=scheme,
        user_data=data.draw(st.none() | user_data(scheme or 0)),
    )
    assert decode_from_centre(encode_status_report(report)) == report


@given(st.binary(max_size=180))
@settings(max_examples=400)
def test_any_octets_give_a_tpdu_or_a_named_fault(octets: bytes) -> None:
    assert isinstance(decode_from_centre(octets), Deliver | StatusReport | TpduMalformed)
    assert isinstance(decode_from_handset(octets), Submit | TpduMalformed)
    assert isinstance(split_service_centre(octets), ServiceCentrePrefixed | TpduMalformed)


@given(st.data())
@settings(max_examples=100)
def test_every_shortened_tpdu_is_malformed(data: st.DataObject) -> None:
    octets = bytes.fromhex(SUBMIT_HELLO)
    cut = data.draw(st.integers(0, len(octets) - 1))
    assert decode_from_handset(octets[:cut]) == TpduMalformed("truncated")


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        ("03", "unsupported_type"),
        ("01", "unsupported_type"),
        ("0415911346610089f60000", "address_too_long"),
        ("0402911f" + "0000" + "62112140300040" + "00", "address_semi_octet"),
        ("04029121" + "0000" + "62112140300040" + "a1", "user_data_too_long"),
        ("04029121" + "0004" + "62112140300040" + "8d", "user_data_too_long"),
        ("44029121" + "0000" + "62112140300040" + "0105", "header_malformed"),
        ("44029121" + "0000" + "62112140300040" + "0200" + "00", ""),
    ],
)
def test_fault_has_a_name(octets: str, reason: str) -> None:
    found = decode_from_centre(bytes.fromhex(octets))
    assert found == TpduMalformed(reason) if reason else isinstance(found, Deliver)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "submit",
    [
        Submit(destination=TpduAddress(1, 1, "1" * 21)),
        Submit(destination=TpduAddress(1, 1, "12x")),
        Submit(destination=TpduAddress(5, 0, "TWELVE CHARS")),
        Submit(destination=TpduAddress(5, 0, "ça")),
        Submit(destination=TO, user_data=UserData((), b"x" * 161)),
        Submit(destination=TO, user_data=UserData((), b"x" * 141), data_coding_scheme=4),
        Submit(destination=TO, validity=EnhancedValidity(b"")),
    ],
)
def test_field_that_does_not_fit_is_the_callers_fault(submit: Submit) -> None:
    with pytest.raises(ValueError, match=r"."):
        encode_submit(submit)
