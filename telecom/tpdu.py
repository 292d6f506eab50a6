"""SMS TPDUs: SUBMIT, DELIVER and STATUS-REPORT, octets to values and back, from either end of the air.

Follows 3GPP TS 23.040, 9.2.2 and 9.2.3; TP-DCS follows 3GPP TS 23.038, 4. SMPP's esm_class and data_coding name
other octets and may not enter. Decoding never raises: what is no TPDU is a `TpduMalformed`.
"""

from datetime import datetime, timedelta, timezone
from typing import Final, Literal

from msgspec import Struct

from telecom.alphabets import (
    NotInAlphabet,
    decode_gsm7,
    encode_gsm7,
    fill_bits_after,
    header_septets,
    pack_septets,
    unpack_septets,
)
from telecom.udh import (
    HEADER_OCTETS_LIMIT,
    InformationElement,
    UdhMalformed,
    UserDataHeader,
    encode_udh,
    locking_shift,
    parse_udh,
    single_shift,
)

USER_DATA_OCTETS: Final = 140  # 9.2.3.24
USER_DATA_SEPTETS: Final = 160
ADDRESS_DIGITS: Final = 20  # 9.1.2.5: ten octets of semi-octets
ZONE_QUARTERS_LIMIT: Final = 79  # 9.2.3.11: three bits of tens, four of units
FIRST_YEAR: Final = 1990  # chosen: GSM is not older, so the two digits of a year reach to 2089

MTI_DELIVER: Final = 0b00  # towards the handset; 9.2.3.1
MTI_SUBMIT: Final = 0b01  # from the handset
MTI_STATUS_REPORT: Final = 0b10  # towards the handset

TpduFault = Literal[
    "truncated",
    "unsupported_type",
    "address_too_long",
    "address_semi_octet",
    "user_data_too_long",
    "header_malformed",
    "bad_time",
]


class TpduMalformed(Struct, frozen=True):
    """The octets are none of the TPDUs known here; reason: the first fault found."""

    reason: TpduFault


class TpduAddress(Struct, frozen=True):
    """ton 0..7 and npi 0..15 (9.1.2.5). text: digits with *, #, a, b, c; with ton 5 text of the default alphabet."""

    ton: int
    npi: int
    text: str


class UserData(Struct, frozen=True):
    """elements: the header's. payload: unpacked septets when the DCS says GSM 7-bit, octets otherwise."""

    elements: tuple[InformationElement, ...] = ()
    payload: bytes = b""


class RelativeValidity(Struct, frozen=True):
    """TP-VP of one octet (9.2.3.12.1), 0..255; `validity_of` and `minutes_of` convert."""

    octet: int


class AbsoluteValidity(Struct, frozen=True):
    """TP-VP as a time with its zone (9.2.3.12.2); None: seven octets that are no time."""

    until: datetime | None


class EnhancedValidity(Struct, frozen=True):
    """TP-VP of seven octets (9.2.3.12.3), kept as they are."""

    octets: bytes


Validity = RelativeValidity | AbsoluteValidity | EnhancedValidity


class Submit(Struct, frozen=True, kw_only=True):
    """SMS-SUBMIT (9.2.2.2), from the handset to the centre. message_reference 0..255."""

    destination: TpduAddress
    user_data: UserData = UserData()
    message_reference: int = 0
    protocol_identifier: int = 0
    data_coding_scheme: int = 0
    validity: Validity | None = None
    reject_duplicates: bool = False
    reply_path: bool = False
    status_report_request: bool = False


class Deliver(Struct, frozen=True, kw_only=True):
    """SMS-DELIVER (9.2.2.1), from the centre to the handset. service_centre_time: None where it is no time."""

    originator: TpduAddress
    service_centre_time: datetime | None
    user_data: UserData = UserData()
    protocol_identifier: int = 0
    data_coding_scheme: int = 0
    more_messages: bool = False
    loop_prevention: bool = False
    reply_path: bool = False
    status_report_indication: bool = False


class StatusReport(Struct, frozen=True, kw_only=True):
    """SMS-STATUS-REPORT (9.2.2.3). status: TP-ST (9.2.3.15). The last three are None where the centre left them out."""

    message_reference: int
    recipient: TpduAddress
    service_centre_time: datetime | None
    discharge_time: datetime | None
    status: int
    more_messages: bool = False
    loop_prevention: bool = False
    of_command: bool = False
    protocol_identifier: int | None = None
    data_coding_scheme: int | None = None
    user_data: UserData | None = None


DcsAlphabet = Literal["gsm7", "octets", "ucs2"]


def alphabet_of(data_coding_scheme: int) -> DcsAlphabet:
    """Alphabet of a TP-DCS octet (3GPP TS 23.038, 4); reserved values mean the default alphabet, as it demands.

    Compressed texts are octets here: nobody sends them.
    """
    group, low = data_coding_scheme >> 4, data_coding_scheme & 0x0F
    if group < 0b1000:  # general and automatic deletion groups
        if group & 0b0010:
            return "octets"
        return _GENERAL_ALPHABETS[low >> 2]
    if group == 0b1110:
        return "ucs2"
    return "octets" if group == 0b1111 and low & 0b0100 else "gsm7"


_GENERAL_ALPHABETS: Final[tuple[DcsAlphabet, ...]] = ("gsm7", "octets", "ucs2", "gsm7")


def text_of(user_data: UserData, data_coding_scheme: int) -> str | None:
    """Text of user data, with the national tables its header names; None where the DCS says octets.

    A UCS-2 payload of odd length loses its last octet; lone surrogates become replacement characters.
    """
    alphabet = alphabet_of(data_coding_scheme)
    if alphabet == "octets":
        return None
    if alphabet == "ucs2":
        return user_data.payload[: len(user_data.payload) // 2 * 2].decode("utf-16-be", "replace")
    header = UserDataHeader(user_data.elements, 0)
    return decode_gsm7(user_data.payload, locking=locking_shift(header), single=single_shift(header))


# --- time and validity ---


def _swapped(value: int) -> int:
    """0..99 as two decimal semi-octets, units in the high one (9.1.2.3)."""
    return value % 10 << 4 | value // 10


def encode_time(time: datetime | None) -> bytes:
    """Seven octets of a time (9.2.3.11); zeros for None. The zone is cut to quarter hours; a time without one is UTC.

    Years 1990 to 2089: the standard writes two digits and leaves the century to the reader. ValueError for others
    and for zones of 20 hours and more, which no place has and the octet cannot say.
    """
    if time is None:
        return bytes(7)
    quarters = int((time.utcoffset() or timedelta()) / timedelta(minutes=15))
    if abs(quarters) > ZONE_QUARTERS_LIMIT or not FIRST_YEAR <= time.year < FIRST_YEAR + 100:
        raise ValueError(f"{time.isoformat()} cannot be written in seven octets")
    sign = 0x08 if quarters < 0 else 0
    fields = (time.year % 100, time.month, time.day, time.hour, time.minute, time.second)
    return bytes([_swapped(value) for value in fields] + [_swapped(abs(quarters)) | sign])


def decode_time(octets: bytes) -> datetime | None:
    """Time of seven octets with its zone, or None where they are none (some centres send zeros)."""
    zone = octets[6]
    semi_octets = [octet & 0x0F for octet in octets[:6]] + [octet >> 4 for octet in octets]
    if max(semi_octets) > 9:
        return None
    year, month, day, hour, minute, second = ((octet & 0x0F) * 10 + (octet >> 4) for octet in octets[:6])
    quarters = (zone & 0x07) * 10 + (zone >> 4)
    offset = timedelta(minutes=-15 * quarters if zone & 0x08 else 15 * quarters)
    century = 1900 if year >= FIRST_YEAR % 100 else 2000
    try:
        return datetime(century + year, month, day, hour, minute, second, tzinfo=timezone(offset))
    except ValueError:
        return None


_HOUR: Final = 60
_DAY: Final = 24 * _HOUR
_WEEK: Final = 7 * _DAY


def minutes_of(validity: RelativeValidity) -> int:
    """Minutes of a relative validity period (9.2.3.12.1): 5 minutes to 63 weeks."""
    octet = validity.octet
    if octet <= 143:
        return (octet + 1) * 5
    if octet <= 167:
        return 12 * _HOUR + (octet - 143) * 30
    return (octet - 166) * _DAY if octet <= 196 else (octet - 192) * _WEEK


def validity_of(minutes: int) -> RelativeValidity:
    """The shortest relative validity period that lasts at least so many minutes; at most 63 weeks."""
    if minutes <= 12 * _HOUR:
        return RelativeValidity(max(-(-minutes // 5) - 1, 0))
    if minutes <= _DAY:
        return RelativeValidity(143 + -(-(minutes - 12 * _HOUR) // 30))
    if minutes <= 30 * _DAY:
        return RelativeValidity(166 + -(-minutes // _DAY))
    return RelativeValidity(min(192 + max(-(-minutes // _WEEK), 5), 255))


# --- addresses ---

_SEMI_OCTETS: Final = "0123456789*#abc"  # 9.1.2.3; 0b1111 is filling
_TON_ALPHANUMERIC: Final = 5


def encode_address(address: TpduAddress) -> bytes:
    """Length, type and value (9.1.2.5). ValueError where the text does not fit: a caller's fault."""
    type_octet = 0x80 | address.ton << 4 | address.npi
    if address.ton == _TON_ALPHANUMERIC:
        septets = encode_gsm7(address.text)
        if isinstance(septets, NotInAlphabet) or 7 * len(septets) > 4 * ADDRESS_DIGITS:
            raise ValueError(f"no alphanumeric address: {address.text!r}")
        return bytes(((7 * len(septets) + 3) // 4, type_octet)) + pack_septets(septets)
    if len(address.text) > ADDRESS_DIGITS:
        raise ValueError(f"an address of {len(address.text)} digits")
    return bytes((len(address.text), type_octet)) + _encode_digits(address.text)


def _encode_digits(digits: str) -> bytes:
    values = [_SEMI_OCTETS.index(digit) for digit in digits] + [0x0F] * (len(digits) % 2)
    return bytes([low | high << 4 for low, high in zip(values[::2], values[1::2], strict=True)])


def _decode_digits(octets: bytes, count: int) -> str | None:
    values = [value for octet in octets for value in (octet & 0x0F, octet >> 4)][:count]
    return "".join([_SEMI_OCTETS[value] for value in values]) if 0x0F not in values else None


class ServiceCentrePrefixed(Struct, frozen=True):
    """A PDU as modems show it: the centre's address in front (None: the SIM's own), then the TPDU."""

    service_centre: TpduAddress | None
    tpdu: bytes


def split_service_centre(octets: bytes) -> ServiceCentrePrefixed | TpduMalformed:
    """The address counted in octets that 3GPP TS 27.005 puts before a TPDU (3GPP TS 24.011, 8.2.5.1)."""
    if not octets or len(octets) < 1 + octets[0]:
        return TpduMalformed("truncated")
    length = octets[0]
    if length == 0:
        return ServiceCentrePrefixed(None, octets[1:])
    value = octets[2 : 1 + length]
    count = 2 * len(value) - (1 if value and value[-1] >> 4 == 0x0F else 0)
    digits = _decode_digits(value, count)
    if digits is None:
        return TpduMalformed("address_semi_octet")
    centre = TpduAddress(octets[1] >> 4 & 0b111, octets[1] & 0x0F, digits)
    return ServiceCentrePrefixed(centre, octets[1 + length :])


def prefix_service_centre(centre: TpduAddress | None, tpdu: bytes) -> bytes:
    """A TPDU behind its centre's address, for AT+CMGS and AT+CMGW."""
    if centre is None:
        return b"\0" + tpdu
    value = bytes((0x80 | centre.ton << 4 | centre.npi,)) + _encode_digits(centre.text)
    return bytes((len(value),)) + value + tpdu


# --- decoding ---


class _Malformed(Exception):
    """Carries a reason out of the reader; never leaves this file."""

    def __init__(self, reason: TpduFault) -> None:
        self.reason = reason


class _Reader:
    """Takes octets from the front of a TPDU, or says what is missing."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.position = 0

    def take(self, count: int) -> bytes:
        taken = self.octets[self.position : self.position + count]
        if len(taken) < count:
            raise _Malformed("truncated")
        self.position += count
        return taken

    def octet(self) -> int:
        return self.take(1)[0]

    def at_end(self) -> bool:
        return self.position >= len(self.octets)

    def address(self) -> TpduAddress:
        length, type_octet = self.take(2)
        if length > ADDRESS_DIGITS:
            raise _Malformed("address_too_long")
        value = self.take((length + 1) // 2)
        ton, npi = type_octet >> 4 & 0b111, type_octet & 0x0F
        if ton == _TON_ALPHANUMERIC:
            return TpduAddress(ton, npi, decode_gsm7(unpack_septets(value, 4 * length // 7)))
        digits = _decode_digits(value, length)
        if digits is None:
            raise _Malformed("address_semi_octet")
        return TpduAddress(ton, npi, digits)

    def validity(self, form: int) -> Validity | None:
        if form == 0b00:
            return None
        if form == 0b10:
            return RelativeValidity(self.octet())
        octets = self.take(7)
        return AbsoluteValidity(decode_time(octets)) if form == 0b11 else EnhancedValidity(octets)

    def user_data(self, data_coding_scheme: int, has_header: bool) -> UserData:
        length = self.octet()
        in_septets = alphabet_of(data_coding_scheme) == "gsm7"
        if length > (USER_DATA_SEPTETS if in_septets else USER_DATA_OCTETS):
            raise _Malformed("user_data_too_long")
        octets = self.take((7 * length + 7) // 8 if in_septets else length)
        header = parse_udh(octets) if has_header else UserDataHeader((), 0)
        if isinstance(header, UdhMalformed):
            raise _Malformed("header_malformed")
        if not in_septets:
            return UserData(header.elements, octets[header.length :])
        count = length - header_septets(header.length)
        if count < 0:
            raise _Malformed("header_malformed")
        fill_bits = fill_bits_after(header.length)
        return UserData(header.elements, unpack_septets(octets[header.length :], count, fill_bits))


def decode_from_handset(octets: bytes) -> Submit | TpduMalformed:
    """A TPDU on its way to the centre: SMS-SUBMIT; others are "unsupported_type". Octets after its end are ignored."""
    reader = _Reader(octets)
    try:
        first = reader.octet()
        if first & 0b11 != MTI_SUBMIT:
            return TpduMalformed("unsupported_type")
        return _read_submit(reader, first)
    except _Malformed as fault:
        return TpduMalformed(fault.reason)


def decode_from_centre(octets: bytes) -> Deliver | StatusReport | TpduMalformed:
    """A TPDU on its way to the handset: SMS-DELIVER or SMS-STATUS-REPORT; octets after its end are ignored."""
    reader = _Reader(octets)
    try:
        first = reader.octet()
        if first & 0b11 == MTI_DELIVER:
            return _read_deliver(reader, first)
        if first & 0b11 == MTI_STATUS_REPORT:
            return _read_status_report(reader, first)
        return TpduMalformed("unsupported_type")
    except _Malformed as fault:
        return TpduMalformed(fault.reason)


def _read_submit(reader: _Reader, first: int) -> Submit:
    message_reference = reader.octet()
    destination = reader.address()
    protocol_identifier, data_coding_scheme = reader.take(2)
    validity = reader.validity(first >> 3 & 0b11)
    return Submit(
        destination=destination,
        user_data=reader.user_data(data_coding_scheme, bool(first & 0x40)),
        message_reference=message_reference,
        protocol_identifier=protocol_identifier,
        data_coding_scheme=data_coding_scheme,
        validity=validity,
        reject_duplicates=bool(first & 0x04),
        reply_path=bool(first & 0x80),
        status_report_request=bool(first & 0x20),
    )


def _read_deliver(reader: _Reader, first: int) -> Deliver:
    originator = reader.address()
    protocol_identifier, data_coding_scheme = reader.take(2)
    service_centre_time = decode_time(reader.take(7))
    return Deliver(
        originator=originator,
        service_centre_time=service_centre_time,
        user_data=reader.user_data(data_coding_scheme, bool(first & 0x40)),
        protocol_identifier=protocol_identifier,
        data_coding_scheme=data_coding_scheme,
        more_messages=not first & 0x04,
        loop_prevention=bool(first & 0x08),
        reply_path=bool(first & 0x80),
        status_report_indication=bool(first & 0x20),
    )


def _read_status_report(reader: _Reader, first: int) -> StatusReport:
    message_reference = reader.octet()
    recipient = reader.address()
    service_centre_time, discharge_time = decode_time(reader.take(7)), decode_time(reader.take(7))
    status = reader.octet()
    # TP-PI says which of the last three follow (9.2.3.27); its extension octets say nothing more
    parameters = 0 if reader.at_end() else reader.octet()
    extension = parameters
    while extension & 0x80 and not reader.at_end():
        extension = reader.octet()
    protocol_identifier = reader.octet() if parameters & 0x01 else None
    data_coding_scheme = reader.octet() if parameters & 0x02 else None
    user_data = reader.user_data(data_coding_scheme or 0, bool(first & 0x40)) if parameters & 0x04 else None
    return StatusReport(
        message_reference=message_reference,
        recipient=recipient,
        service_centre_time=service_centre_time,
        discharge_time=discharge_time,
        status=status,
        more_messages=not first & 0x04,
        loop_prevention=bool(first & 0x08),
        of_command=bool(first & 0x20),
        protocol_identifier=protocol_identifier,
        data_coding_scheme=data_coding_scheme,
        user_data=user_data,
    )


# --- encoding ---


def encode_user_data(user_data: UserData, data_coding_scheme: int) -> bytes:
    """TP-UDL and TP-UD (9.2.3.16, 9.2.3.24). ValueError where they do not fit: parts.py cuts before."""
    header = encode_udh(user_data.elements)
    if alphabet_of(data_coding_scheme) != "gsm7":
        if len(header) + len(user_data.payload) > USER_DATA_OCTETS:
            raise ValueError(f"user data of {len(header) + len(user_data.payload)} octets")
        return bytes((len(header) + len(user_data.payload),)) + header + user_data.payload
    length = header_septets(len(header)) + len(user_data.payload)
    if length > USER_DATA_SEPTETS or len(header) > HEADER_OCTETS_LIMIT:
        raise ValueError(f"user data of {length} septets")
    packed = pack_septets(user_data.payload, fill_bits_after(len(header)))
    octets = header + packed
    return bytes((length,)) + octets


def _validity_form(validity: Validity | None) -> tuple[int, bytes]:
    """Bits 4 and 3 of the first octet (9.2.3.3) and TP-VP."""
    match validity:
        case None:
            return 0b00, b""
        case RelativeValidity(octet):
            return 0b10, bytes((octet,))
        case AbsoluteValidity(until):
            return 0b11, encode_time(until)
        case EnhancedValidity(octets):
            if len(octets) != 7:
                raise ValueError(f"an enhanced validity period of {len(octets)} octets")
            return 0b01, octets


def _flag(mask: int, condition: bool) -> int:
    return mask if condition else 0


def encode_submit(submit: Submit) -> bytes:
    """Octets of an SMS-SUBMIT. ValueError where a field does not fit."""
    form, validity = _validity_form(submit.validity)
    first = (
        MTI_SUBMIT
        | form << 3
        | _flag(0x04, submit.reject_duplicates)
        | _flag(0x20, submit.status_report_request)
        | _flag(0x40, bool(submit.user_data.elements))
        | _flag(0x80, submit.reply_path)
    )
    return (
        bytes((first, submit.message_reference))
        + encode_address(submit.destination)
        + bytes((submit.protocol_identifier, submit.data_coding_scheme))
        + validity
        + encode_user_data(submit.user_data, submit.data_coding_scheme)
    )


def encode_deliver(deliver: Deliver) -> bytes:
    """Octets of an SMS-DELIVER. ValueError where a field does not fit."""
    first = (
        MTI_DELIVER
        | _flag(0x04, not deliver.more_messages)
        | _flag(0x08, deliver.loop_prevention)
        | _flag(0x20, deliver.status_report_indication)
        | _flag(0x40, bool(deliver.user_data.elements))
        | _flag(0x80, deliver.reply_path)
    )
    return (
        bytes((first,))
        + encode_address(deliver.originator)
        + bytes((deliver.protocol_identifier, deliver.data_coding_scheme))
        + encode_time(deliver.service_centre_time)
        + encode_user_data(deliver.user_data, deliver.data_coding_scheme)
    )


def encode_status_report(report: StatusReport) -> bytes:
    """Octets of an SMS-STATUS-REPORT; TP-PI only where one of the optional fields is given."""
    first = (
        MTI_STATUS_REPORT
        | _flag(0x04, not report.more_messages)
        | _flag(0x08, report.loop_prevention)
        | _flag(0x20, report.of_command)
        | _flag(0x40, report.user_data is not None and bool(report.user_data.elements))
    )
    octets = (
        bytes((first, report.message_reference))
        + encode_address(report.recipient)
        + encode_time(report.service_centre_time)
        + encode_time(report.discharge_time)
        + bytes((report.status,))
    )
    identifier, scheme, user_data = report.protocol_identifier, report.data_coding_scheme, report.user_data
    parameters = (
        _flag(0x01, identifier is not None) | _flag(0x02, scheme is not None) | _flag(0x04, user_data is not None)
    )
    if not parameters:
        return octets
    octets += bytes([parameters] + [octet for octet in (identifier, scheme) if octet is not None])
    return octets if user_data is None else octets + encode_user_data(user_data, scheme or 0)
