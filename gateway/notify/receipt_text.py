"""The deliver_sm that tells an ESME what became of its message.

Source: SMPP v3.4 4.6.1, 5.2.12, 5.3.2.12, 5.3.2.35, appendix B. Addresses are the submission's own, turned round.
Pure. What must not enter: whether and when it is sent.
"""

from __future__ import annotations

from gateway.message import Message, accepted_at_ms
from gateway.message_states import RECEIPT_WORD, SMPP_MESSAGE_STATE
from gateway.smpp.pdus import DeliverSm
from gateway.smpp.times import format_receipt_date

TAG_RECEIPTED_MESSAGE_ID = 0x001E
TAG_MESSAGE_STATE = 0x0427
ESM_RECEIPT = 0x04
_STATE_OCTET = {state: bytes((value,)) for state, value in SMPP_MESSAGE_STATE.items()}


def receipt_for(message: Message) -> DeliverSm:
    """The receipt of a final message. err: the carrier's code where it has at most three characters, else 000 or
    999.
    """
    envelope = message.envelope
    message_id = str(envelope.multi[0] if envelope.multi else message.message_id)  # the one id its sender was told
    delivered = message.state == "delivered"
    error = message.error if 0 < len(message.error) <= 3 else "000" if delivered else "999"
    text = (
        f"id:{message_id} sub:{message.part_count:03d} dlvrd:{message.part_states.count('D'):03d}"
        f" submit date:{format_receipt_date(accepted_at_ms(message.message_id))}"
        f" done date:{format_receipt_date(message.final_at_ms)}"
        f" stat:{RECEIPT_WORD[message.state]} err:{error:0>3} text:"
    )
    return DeliverSm(
        source_addr_ton=envelope.dest_addr_ton,
        source_addr_npi=envelope.dest_addr_npi,
        source_addr=envelope.submitted_destination,
        dest_addr_ton=envelope.source_addr_ton,
        dest_addr_npi=envelope.source_addr_npi,
        destination_addr=envelope.submitted_source,
        esm_class=ESM_RECEIPT,
        short_message=text.encode("ascii"),
        tlvs=(
            (TAG_RECEIPTED_MESSAGE_ID, message_id.encode("ascii") + b"\0"),
            (TAG_MESSAGE_STATE, _STATE_OCTET[message.state]),
        ),
    )


def is_wanted(message: Message) -> bool:
    """Whether the ESME asked to hear of this outcome (v3.4 5.2.17: 1 any, 2 failure only; v5.0: 3 success only)."""
    asked = message.envelope.registered_delivery & 0x03
    return asked == 1 or (asked == 2 and message.state != "delivered") or (asked == 3 and message.state == "delivered")
