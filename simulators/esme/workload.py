"""What the simulated ESME submits: texts in turn, seeded numbers, long texts in one PDU or cut into parts.

SMPP v3.4 4.4.1 (submit_sm), 5.3.2.32 (message_payload); 3GPP TS 23.040 9.2.3.24 (UDH) through telecom.
What must not enter: binds, windows, clocks.
"""

from __future__ import annotations

from collections import deque

import msgspec

from gateway.smpp.pdus import SubmitSm
from simulators.esme.settings import EsmeSettings, LongTexts
from simulators.plain_values import Chance
from simulators.texts import CUSTOMER_TEXTS, complete_number
from simulators.user_data import ESM_CLASS_UDHI, MESSAGE_PAYLOAD, encode_text
from telecom.parts import split_user_data

SHORT_MESSAGE_OCTETS = 254  # v3.4 4.4.1: beyond it only message_payload
INTERNATIONAL_DIGITS = 7  # chosen: a digit source of fewer is a short code
SERVICE_TYPE_CHARACTERS = 5  # v3.4 5.2.11
FILLING = "Passerelle, essai de debit. "  # of texts with a wanted length: GSM basic characters only


class Submission(msgspec.Struct, gc=False):
    """One submit_sm to send. ref: unique over runs; octets: user data, UDH included; tries: times it was submitted."""

    ref: str
    pdu: SubmitSm
    octets: bytes
    tries: int = 0


class UserData(msgspec.Struct, frozen=True, gc=False):
    """The user data of one submit_sm of a text."""

    data_coding: int
    octets: bytes
    has_udh: bool


class Workload:
    """The submissions of one run, made as they are asked for. The same seed gives the same ones.

    run: what distinguishes the refs of this run; chance: the next number of the seeded sequence.
    """

    def __init__(self, settings: EsmeSettings, chance: Chance, run: str) -> None:
        self._settings = settings
        self._chance = chance
        self._run = run
        self._whole = [one_pdu(text, settings.ucs2) for text in texts_of(settings)]
        self._made = 0
        self._texts_sent = 0
        self._parts: deque[Submission] = deque()
        self._stopped = False
        self._source_ton, self._source_npi = address_type(settings.source)

    @property
    def exhausted(self) -> bool:
        """Whether next() gives nothing more."""
        return not self._parts and (self._stopped or self._texts_sent == self._settings.messages > 0)

    def stop(self) -> None:
        """No further text; the parts of one that was begun are still given."""
        self._stopped = True

    def next(self) -> Submission | None:
        """The next submission; None: there is none."""
        if self._parts:
            return self._parts.popleft()
        if self.exhausted:
            return None
        turn = self._texts_sent % len(self._whole)
        self._texts_sent += 1
        number = complete_number(self._settings.to, self._chance)
        whole = self._whole[turn]
        if self._settings.long_texts is LongTexts.UDH:
            parts = split_user_data(whole.octets, whole.data_coding, self._texts_sent)
            if len(parts) > 1:
                cut = (self._submission(number, UserData(whole.data_coding, part, True)) for part in parts)
                self._parts.extend(cut)
                return self._parts.popleft()
        return self._submission(number, whole)

    def _submission(self, number: str, data: UserData) -> Submission:
        settings = self._settings
        self._made += 1
        octets = data.octets
        in_payload = len(octets) > SHORT_MESSAGE_OCTETS
        pdu = SubmitSm(
            service_type=settings.traffic_class[:SERVICE_TYPE_CHARACTERS],
            source_addr=settings.source.lstrip("+"),
            source_addr_ton=self._source_ton,
            source_addr_npi=self._source_npi,
            destination_addr=number,
            dest_addr_ton=1,
            dest_addr_npi=1,
            esm_class=ESM_CLASS_UDHI if data.has_udh else 0,
            registered_delivery=settings.registered_delivery,
            validity_period=relative_time(settings.validity_s),
            data_coding=data.data_coding,
            short_message=b"" if in_payload else octets,
            tlvs=((MESSAGE_PAYLOAD, octets),) if in_payload else (),
        )
        return Submission(f"{self._run}-{self._made}", pdu, octets)


def texts_of(settings: EsmeSettings) -> tuple[str, ...]:
    """The texts that the settings ask for."""
    if settings.characters:
        return ((FILLING * (settings.characters // len(FILLING) + 1))[: settings.characters],)
    return settings.texts or CUSTOMER_TEXTS


def relative_time(seconds: int) -> str:
    """A span below a day as validity_period (v3.4 7.1.1.2, YYMMDDhhmmsstnnR); "" for 0."""
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"000000{hour:02}{minute:02}{second:02}000R" if seconds else ""


def one_pdu(text: str, ucs2: bool) -> UserData:
    """A text as the user data of one submit_sm."""
    encoded = encode_text(text, ucs2)
    return UserData(encoded.data_coding, encoded.octets, False)


def address_type(source: str) -> tuple[int, int]:
    """TON and NPI of a sender: alphanumeric 5/0, international 1/1, short code 3/0 (v3.4 5.2.5, 5.2.6)."""
    digits = source.removeprefix("+")
    if not digits.isdecimal():
        return 5, 0
    return (1, 1) if len(digits) >= INTERNATIONAL_DIGITS else (3, 0)
