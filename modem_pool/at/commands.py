"""What may be asked of a modem, and which lines answer it: each command declares its own, all else is unsolicited.

Source: ITU-T V.250 (AT, ATZ, ATE); 3GPP TS 27.005 (SMS, AT+CMxx and AT+CNxx) and 27.007 (the rest), by paragraph below.
Patience: defaults.md, SIM pool. What must not enter: dialects of a model (modem_pool/models), IO.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

COMMAND_S: Final = 5.0
PROMPT_S: Final = 5.0
SEND_S: Final = 60.0  # SIM800 answers a CMGS within 60 s
SUPPLEMENTARY_S: Final = 30.0  # CUSD
OPERATORS_S: Final = 180.0  # AT+COPS=? searches every band
RESET_S: Final = 15.0  # chosen: AT+CFUN

# The answer to AT+CREG? begins with <n>,<stat>; its unsolicited twin with <stat> alone, or <stat>,<lac>: four
# hexadecimal digits, quoted or not (27.007 7.2)
_REGISTRATION: Final = r"\d,\d{1,2}(,|$)"


# Words that come unasked and look like a maker's or a model's name: of SIMCom, Quectel and V.250
UNASKED: Final = frozenset(
    (
        "RING",
        "RDY",
        "Call Ready",
        "SMS Ready",
        "SMS DONE",
        "PB DONE",
        "NORMAL POWER DOWN",
        "POWERED DOWN",
        "UNDER-VOLTAGE WARNNING",
        "UNDER-VOLTAGE POWER DOWN",
        "OVER-VOLTAGE WARNNING",
        "OVER-VOLTAGE POWER DOWN",
        "NO CARRIER",
        "BUSY",
        "NO ANSWER",
    )
)


class Command(msgspec.Struct, frozen=True):
    """One command line and what belongs to it.

    line: without its end; answers: prefixes of its information lines; shape: what must follow such a prefix, where an
    unsolicited line shares it; plain: a pattern of information lines without a prefix; payload: written behind the
    prompt, its Ctrl-Z comes by itself; has_pdus: each information line has a line of hexadecimal behind it; dials: NO
    CARRIER and its like are its results; patience in seconds.
    """

    line: str
    answers: tuple[str, ...] = ()
    shape: str = ""
    plain: str = ""
    payload: bytes = b""
    has_pdus: bool = False
    dials: bool = False
    patience_s: float = COMMAND_S

    def owns(self, text: str) -> bool:
        """Whether a line is an information line of its answer."""
        for prefix in self.answers:
            if text.startswith(prefix):
                return not self.shape or re.match(self.shape, text[len(prefix) :].lstrip()) is not None
        return bool(self.plain) and text not in UNASKED and re.fullmatch(self.plain, text) is not None


ATTENTION: Final = Command("AT")
# echo off, results as words, results on: whatever a former program left (V.250 6.2.4, 6.2.6, 6.2.5)
SPEAK_PLAINLY: Final = Command("ATE0V1Q0")
NUMBERED_ERRORS: Final = Command("AT+CMEE=1")  # 27.007 9.1
DEFAULTS: Final = Command("ATZ")
RESTART: Final = Command("AT+CFUN=1,1", patience_s=RESET_S)  # 27.007 8.2

_WORDS: Final = r"[^+^*%$#].{0,200}"  # a line that looks like no unsolicited one
MAKER: Final = Command("AT+CGMI", ("+CGMI:",), plain=_WORDS)  # 27.007 5.1 to 5.4
MODEL: Final = Command("AT+CGMM", ("+CGMM:",), plain=_WORDS)
REVISION: Final = Command("AT+CGMR", ("+CGMR:",), plain=_WORDS)
SERIAL_NUMBER: Final = Command("AT+CGSN", ("+CGSN:",), plain=r"\d{14,17}")
SUBSCRIBER: Final = Command("AT+CIMI", ("+CIMI:",), plain=r"\d{6,15}")  # 5.6
CARD: Final = Command("AT+CCID", ("+CCID:", "^ICCID:"), plain=r"\d{18,20}[0-9Ff]?")  # of vendors: EF-ICCID

PIN_STATE: Final = Command("AT+CPIN?", ("+CPIN:",))  # 27.007 8.3
SIGNAL: Final = Command("AT+CSQ", ("+CSQ:",))  # 8.5
REGISTRATION: Final = Command("AT+CREG?", ("+CREG:",), shape=_REGISTRATION)  # 7.2
LTE_REGISTRATION: Final = Command("AT+CEREG?", ("+CEREG:",), shape=_REGISTRATION)  # 10.1.22
OPERATOR: Final = Command("AT+COPS?", ("+COPS:",))  # 7.3
OPERATORS: Final = Command("AT+COPS=?", ("+COPS:",), patience_s=OPERATORS_S)
PDU_MODE: Final = Command("AT+CMGF=0")  # 27.005 3.2.3
SERVICE_CENTRE: Final = Command("AT+CSCA?", ("+CSCA:",))  # 3.3.1
TELL_MESSAGES: Final = Command("AT+CNMI=2,1,0,1,0")  # 3.4.1: new messages by index, status reports whole
STORAGE: Final = Command("AT+CPMS?", ("+CPMS:",))  # 3.2.2
LIST_ALL: Final = Command("AT+CMGL=4", ("+CMGL:",), has_pdus=True, patience_s=SUPPLEMENTARY_S)  # 4.1
END_SUPPLEMENTARY: Final = Command("AT+CUSD=2", patience_s=SUPPLEMENTARY_S)


def send_message(tpdu_octets: int, pdu: str) -> Command:
    """AT+CMGS (27.005 4.3). tpdu_octets: without the service centre's; pdu: with it, hexadecimal."""
    return Command(f"AT+CMGS={tpdu_octets}", ("+CMGS:",), payload=pdu.encode("ascii"), patience_s=SEND_S)


def read_message(index: int) -> Command:
    """AT+CMGR (27.005 4.2). An empty slot answers OK alone, or +CMS ERROR 321."""
    return Command(f"AT+CMGR={index}", ("+CMGR:",), has_pdus=True)


def delete_message(index: int) -> Command:
    """AT+CMGD (27.005 3.5.4)."""
    return Command(f"AT+CMGD={index}")


def select_storage(memory: str) -> Command:
    """AT+CPMS for reading, writing and receiving (27.005 3.2.2)."""
    return Command(f'AT+CPMS="{memory}","{memory}","{memory}"', ("+CPMS:",))


def enter_pin(pin: str) -> Command:
    """AT+CPIN (27.007 8.3). Whether there are tries left is the caller's to know."""
    return Command(f'AT+CPIN="{pin}"', patience_s=RESET_S)


def ask_supplementary(string: str, data_coding_scheme: int = 15) -> Command:
    """AT+CUSD (27.007 7.15). string: as the model wants it; what the network says comes unsolicited, by +CUSD."""
    return Command(f'AT+CUSD=1,"{string}",{data_coding_scheme}', patience_s=SUPPLEMENTARY_S)


def dial(number: str) -> Command:
    """ATD (27.007 6.2), a voice call."""
    return Command(f"ATD{number};", dials=True, patience_s=SEND_S)
