"""Two other libraries judge ours: smpplib.gsm (alphabet, parts) and gsmmodem.pdu (alphabet, packing, TPDUs).

Where a judge is wrong, a test names its fault, so that an upgrade that mends it is noticed. Wireshark judges in
tests/interop. What must not enter: expectations that only we have.
"""

from datetime import datetime, timedelta, timezone

import pytest
from gsmmodem import pdu as gsmmodem
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from smpplib import consts
from smpplib import gsm as smpplib

from telecom.alphabets import (
    DEFAULT_ALPHABET,
    EXTENSION,
    decode_gsm7,
    encode_gsm7,
    pack_septets,
    unpack_septets,
)
from telecom.parts import Encoding, estimate, split_text
from telecom.tpdu import (
    AbsoluteValidity,
    Deliver,
    RelativeValidity,
    StatusReport,
    Submit,
    TpduAddress,
    UserData,
    decode_from_handset,
    encode_deliver,
    encode_status_report,
    encode_submit,
    minutes_of,
    prefix_service_centre,
    split_service_centre,
    text_of,
)

JUDGES_LACK = {"§", "\f"}  # both: named below as their faults
BASIC = sorted(set(DEFAULT_ALPHABET) - {"\x1b"} - JUDGES_LACK)
EXTENDED = sorted(set(EXTENSION.values()) - JUDGES_LACK)
DIGITS = st.text("0123456789", min_size=6, max_size=15)
BMP = st.characters(max_codepoint=0xD7FF, exclude_characters="`§\fÿ")


def septets_of(text: str) -> bytes:
    septets = encode_gsm7(text)
    assert isinstance(septets, bytes)
    return septets


# --- smpplib.gsm ---


@given(st.text(BASIC + EXTENDED, max_size=300))
@settings(max_examples=150)
def test_smpplib_writes_the_same_septets(text: str) -> None:
    assert smpplib.gsm_encode(text) == septets_of(text)


@given(st.text(BASIC, min_size=1, max_size=1500))
@settings(max_examples=100)
def test_smpplib_cuts_a_text_without_pairs_at_the_same_places(text: str) -> None:
    parts, data_coding, esm_class = smpplib.make_parts(text)
    ours = split_text(text, Encoding("gsm7"), 0)
    assert isinstance(ours, list)
    assert data_coding == consts.SMPP_ENCODING_DEFAULT
    assert (esm_class == consts.SMPP_GSMFEAT_UDHI) == (len(ours) > 1)
    header = 6 if len(ours) > 1 else 0
    assert [part[header:] for part in parts] == [part[header:] for part in ours]
    assert [part[4:header] for part in parts] == [part[4:header] for part in ours]


def test_fault_of_smpplib_section_sign_is_missing() -> None:
    """Its table has a grave accent at 0x5F, where 6.2.1 has the section sign, and so writes one for the other."""
    assert septets_of("§") == b"\x5f"
    assert smpplib.gsm_encode("`") == b"\x5f"
    with pytest.raises(UnicodeError):
        smpplib.gsm_encode("§")


def test_fault_of_smpplib_form_feed_is_missing() -> None:
    assert septets_of("\f") == b"\x1b\x0a"
    with pytest.raises(UnicodeError):
        smpplib.gsm_encode("\f")


def test_fault_of_smpplib_escape_pair_is_cut() -> None:
    """Its parts are slices of octets: the euro sign at the end of a part is torn."""
    parts, _, _ = smpplib.make_parts("x" * 152 + "€" + "x" * 20)
    assert parts[0].endswith(b"\x1b")
    ours = split_text("x" * 152 + "€" + "x" * 20, Encoding("gsm7"), 0)
    assert isinstance(ours, list)
    assert not ours[0].endswith(b"\x1b")


def test_fault_of_smpplib_surrogate_pair_is_cut() -> None:
    parts, _, _ = smpplib.make_parts("a" * 66 + "😀" + "a" * 20)
    with pytest.raises(UnicodeDecodeError):
        parts[0][6:].decode("utf-16-be")
    ours = split_text("a" * 66 + "😀" + "a" * 20, Encoding("ucs2"), 0)
    assert isinstance(ours, list)
    assert ours[0][6:].decode("utf-16-be") == "a" * 66


# --- gsmmodem.pdu ---


@given(st.text(BASIC + EXTENDED, max_size=300))
@settings(max_examples=150)
def test_gsmmodem_writes_and_reads_the_same_septets(text: str) -> None:
    assert bytes(gsmmodem.encodeGsm7(text)) == septets_of(text)
    assert gsmmodem.decodeGsm7(bytearray(septets_of(text))) == decode_gsm7(septets_of(text)) == text


@given(st.binary(min_size=1, max_size=160).map(lambda octets: bytes(octet & 0x7F for octet in octets)))
@settings(max_examples=150)
def test_gsmmodem_packs_and_unpacks_the_same(septets: bytes) -> None:
    packed = pack_septets(septets)
    assert bytes(gsmmodem.packSeptets(bytearray(septets))) == packed
    assert unpack_septets(packed, len(septets)) == septets


@given(DIGITS, st.text(BASIC + EXTENDED, max_size=80) | st.text(BMP, max_size=60), st.integers(0, 255), st.booleans())
@settings(max_examples=150)
def test_gsmmodem_writes_the_same_submit(number: str, text: str, reference: int, report: bool) -> None:
    (theirs,) = gsmmodem.encodeSmsSubmitPdu("+" + number, text, reference, requestStatusReport=report)
    encoding = estimate(text).encoding
    parts = split_text(text, encoding, 0)
    assert isinstance(parts, list)
    ours = Submit(
        destination=TpduAddress(1, 1, number),
        user_data=UserData((), parts[0]),
        message_reference=reference,
        data_coding_scheme=encoding.data_coding,
        status_report_request=report,
    )
    assert bytes(theirs.data) == prefix_service_centre(None, encode_submit(ours))


@given(st.text(BASIC, min_size=161, max_size=800), st.integers(0, 255))
@settings(max_examples=50)
def test_gsmmodem_writes_the_same_concatenated_submits(text: str, reference: int) -> None:
    theirs = gsmmodem.encodeSmsSubmitPdu("+22997123456", text, reference)
    parts = split_text(text, Encoding("gsm7"), reference)
    assert isinstance(parts, list)
    assert len(parts) == len(theirs)
    for part, their in zip(parts, theirs, strict=True):
        prefixed = split_service_centre(bytes(their.data))
        submit = decode_from_handset(prefixed.tpdu)  # type: ignore[union-attr]
        assert isinstance(submit, Submit)
        assert submit.user_data.payload == part[6:]
        assert submit.user_data.elements[0].data == part[3:6]


@given(st.integers(0, 255))
def test_gsmmodem_reads_the_same_relative_validity(octet: int) -> None:
    submit = Submit(destination=TpduAddress(1, 1, "22997123456"), validity=RelativeValidity(octet))
    found = gsmmodem.decodeSmsPdu(bytearray(prefix_service_centre(None, encode_submit(submit))))
    assert found["validity"] == timedelta(minutes=minutes_of(RelativeValidity(octet)))


TIMES = st.builds(
    lambda time, quarters: time.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=15 * quarters))),
    st.datetimes(datetime(1990, 1, 1), datetime(2068, 12, 31)),
    st.integers(-79, 79),
)


@given(TIMES, DIGITS, st.text(BASIC + EXTENDED, min_size=1, max_size=80))
@settings(max_examples=150)
def test_gsmmodem_reads_our_deliver(time: datetime, number: str, text: str) -> None:
    assume(len(septets_of(text)) % 8 or not text.endswith("@"))  # it takes a last @ that fills an octet for padding
    deliver = Deliver(
        originator=TpduAddress(1, 1, number), service_centre_time=time, user_data=UserData((), septets_of(text))
    )
    octets = prefix_service_centre(TpduAddress(1, 1, "22997000000"), encode_deliver(deliver))
    found = gsmmodem.decodeSmsPdu(bytearray(octets))
    assert found["number"] == "+" + number
    assert found["smsc"] == "+22997000000"
    assert found["text"] == text
    assert found["time"] == time
    assert found["time"].utcoffset() == time.utcoffset()


@given(TIMES, TIMES, st.integers(0, 255))
@settings(max_examples=50)
def test_gsmmodem_reads_our_status_report(sent: datetime, done: datetime, octet: int) -> None:
    report = StatusReport(
        message_reference=octet,
        recipient=TpduAddress(1, 1, "2290197123456"),
        service_centre_time=sent,
        discharge_time=done,
        status=octet,
    )
    found = gsmmodem.decodeSmsPdu(bytearray(prefix_service_centre(None, encode_status_report(report))))
    assert (found["reference"], found["status"]) == (octet, octet)
    assert (found["time"], found["discharge"]) == (sent, done)


@given(TIMES)
@settings(max_examples=50)
def test_gsmmodem_writes_the_same_absolute_validity(time: datetime) -> None:
    (theirs,) = gsmmodem.encodeSmsSubmitPdu("+22997123456", "a", validity=time)
    prefixed = split_service_centre(bytes(theirs.data))
    submit = decode_from_handset(prefixed.tpdu)  # type: ignore[union-attr]
    assert isinstance(submit, Submit)
    assert submit.validity == AbsoluteValidity(time)


@pytest.mark.parametrize(("character", "septets"), [("§", b"\x5f"), ("\f", b"\x1b\x0a")])
def test_fault_of_gsmmodem_characters_are_missing(character: str, septets: bytes) -> None:
    """It has a grave accent at 0x5F as smpplib has, and no form feed: both texts become UCS-2."""
    assert septets_of(character) == septets
    with pytest.raises(ValueError, match="Cannot encode"):
        gsmmodem.encodeGsm7(character)


def test_fault_of_gsmmodem_breaks_on_a_latin_letter() -> None:
    """Its extension table has "ÿ", with a number where a character must stand, in the place of the form feed."""
    with pytest.raises(TypeError):
        gsmmodem.encodeSmsSubmitPdu("+22997123456", "ÿ")
    assert estimate("ÿ").alphabet == "ucs2"


def test_fault_of_gsmmodem_alphanumeric_length_counts_octets() -> None:
    """9.1.2.5 counts useful semi-octets: seven septets are 13 of them. It writes 14, one character too many."""
    (theirs,) = gsmmodem.encodeSmsSubmitPdu("Airtime", "a")
    assert theirs.data[3] == 14
    submit = decode_from_handset(bytes(theirs.data[1:]))
    assert isinstance(submit, Submit)
    assert submit.destination.text == "Airtime@"
    assert encode_submit(Submit(destination=TpduAddress(5, 0, "Airtime")))[2] == 13


def test_fault_of_gsmmodem_wide_characters_are_no_surrogate_pairs() -> None:
    """It writes code points above 0xFFFF as more than two octets, and cuts them short."""
    with pytest.raises(ValueError, match=r"byte must be in range"):
        gsmmodem.encodeSmsSubmitPdu("+22997123456", "😀")
    assert text_of(UserData((), "😀".encode("utf-16-be")), 8) == "😀"


def test_fault_of_gsmmodem_header_counts_as_text() -> None:
    """It reads TP-UDL septets behind the header, though the header's septets are among them (9.2.3.16)."""
    parts = split_text("x" * 161, Encoding("gsm7"), 1)
    assert isinstance(parts, list)
    submit = gsmmodem.encodeSmsSubmitPdu("+22997123456", "x" * 161, 1)[0]
    found = gsmmodem.decodeSmsPdu(bytearray(submit.data) + b"\0" * 8)
    assert len(found["text"]) > 153
    ours = decode_from_handset(bytes(submit.data[1:]) + b"\0" * 8)
    assert isinstance(ours, Submit)
    assert text_of(ours.user_data, 0) == "x" * 153
