"""The deliver_sm that tells an ESME what became of its message.

Source: SMPP v3.4 4.6.1, 5.2.12, 5.3.2.12, 5.3.2.35, appendix B. Addresses are the submission's own, turned round.
Pure. What must not enter: whether and when it is sent.
"""

from __future__ import annotations

from gateway.message import PART_DELIVERED, PART_UNKNOWN, Message, accepted_at_ms
from gateway.message_states import RECEIPT_WORD, SMPP_MESSAGE_STATE, STATE_WORDS
from gateway.receipts.carrier_errors import read_error
from gateway.smpp.pdus import DeliverSm
from gateway.smpp.times import format_receipt_date

TAG_RECEIPTED_MESSAGE_ID = 0x001E
TAG_MESSAGE_STATE = 0x0427
TAG_SAR_TOTAL_SEGMENTS, TAG_SAR_SEGMENT_SEQNUM = 0x020E, 0x020F
TAG_NETWORK_ERROR_CODE = 0x0423
ESM_RECEIPT, ESM_INTERMEDIATE = 0x04, 0x20
UNKNOWN = 7  # SMPP v3.4 5.2.28
_STATE_OCTET = {state: bytes((value,)) for state, value in SMPP_MESSAGE_STATE.items()}


def receipt_for(message: Message, part_no: int | None = None) -> DeliverSm:
    """The receipt of a final message, or of one of its parts (where the login wants one for each). err: the carrier's
    code where it has at most three characters, else 000 or 999.
    """
    state = message.state if part_no is None else _part_state(message, part_no)
    delivered = state == "delivered"
    error = read_error(message.error)
    code = error.code if 0 < len(error.code) <= 3 else "000" if delivered else "999"
    count, arrived = (message.part_count, message.part_states.count("D")) if part_no is None else (1, int(delivered))
    more: tuple[tuple[int, bytes], ...] = ()
    if part_no is not None:
        more = (
            (TAG_SAR_TOTAL_SEGMENTS, bytes((message.part_count,))),
            (TAG_SAR_SEGMENT_SEQNUM, bytes((part_no + 1,))),
        )
    network_error_code = error.network_error_code()
    if network_error_code is not None:
        more = (*more, (TAG_NETWORK_ERROR_CODE, network_error_code))
    stat = f"{format_receipt_date(message.final_at_ms)} stat:{RECEIPT_WORD[state]} err:{code:0>3}"
    return _notification(
        message, ESM_RECEIPT, (count, arrived), stat, ((TAG_MESSAGE_STATE, _STATE_OCTET[state]), *more)
    )


def mention_of(message: Message, message_state: int, at_ms: int) -> DeliverSm:
    """The intermediate notification that a message is on its way. message_state: v3.4 5.2.28; at_ms: told when."""
    known = message_state if message_state in STATE_WORDS else UNKNOWN
    stat = f"{format_receipt_date(at_ms)} stat:{STATE_WORDS[known]} err:000"
    tlvs = ((TAG_MESSAGE_STATE, bytes((known,))),)
    return _notification(message, ESM_INTERMEDIATE, (message.part_count, 0), stat, tlvs)


def _notification(
    message: Message, esm_class: int, counts: tuple[int, int], stat: str, tlvs: tuple[tuple[int, bytes], ...]
) -> DeliverSm:
    envelope = message.envelope
    message_id = str(envelope.multi[0] if envelope.multi else message.message_id)  # the one id its sender was told
    text = (
        f"id:{message_id} sub:{counts[0]:03d} dlvrd:{counts[1]:03d}"
        f" submit date:{format_receipt_date(accepted_at_ms(message.message_id))} done date:{stat} text:"
    )
    return DeliverSm(
        source_addr_ton=envelope.dest_addr_ton,
        source_addr_npi=envelope.dest_addr_npi,
        source_addr=envelope.submitted_destination,
        dest_addr_ton=envelope.source_addr_ton,
        dest_addr_npi=envelope.source_addr_npi,
        destination_addr=envelope.submitted_source,
        esm_class=esm_class,
        short_message=text.encode("ascii"),
        tlvs=((TAG_RECEIPTED_MESSAGE_ID, message_id.encode("ascii") + b"\0"), *tlvs),
    )


def _part_state(message: Message, part_no: int) -> str:
    """What became of one part: of those that nobody told of when the message ended, the message's own end."""
    letter = message.part_states[part_no]
    if letter == PART_DELIVERED:
        return "delivered"
    return "unknown" if message.state == "delivered" or letter == PART_UNKNOWN else message.state


def is_wanted(message: Message) -> bool:
    """Whether the ESME asked to hear of this outcome (v3.4 5.2.17: 1 any, 2 failure only; v5.0: 3 success only)."""
    asked = message.envelope.registered_delivery & 0x03
    return asked == 1 or (asked == 2 and message.state != "delivered") or (asked == 3 and message.state == "delivered")
