"""From submit_multi to Submissions, one a destination, and back to the list of those that were refused.

Source: SMPP v3.4 4.5.1, 4.5.2; smpp-answers. The framing (1 to 254 destinations, their flags) is the codec's.
What must not enter: rules about accounts and money, how one submit_multi's messages belong together (gateway.recall).
"""

from __future__ import annotations

import msgspec

from gateway.ingress.submissions import address_fault, read_submit_sm
from gateway.message import Submission
from gateway.smpp.command_status import CommandStatus
from gateway.smpp.pdus import DistributionList, SmeAddress, SubmitMulti, SubmitSm, UnsuccessSme
from gateway.storage.facts import EsmeRow

INTERNATIONAL = 1  # SMPP v3.4 5.2.5: of the template, before its destinations are filled in
_TEMPLATE_FIELDS = tuple(set(SubmitMulti.__struct_fields__) & set(SubmitSm.__struct_fields__))


class MultiSubmission:
    """What one submit_multi asks, and which of its destinations were refused."""

    def __init__(self, destinations: tuple[SmeAddress | DistributionList, ...]) -> None:
        self._destinations = destinations
        self._statuses: dict[int, int] = {}  # by place
        self.submissions: list[tuple[int, Submission]] = []  # place, what is asked for it
        self.places: dict[int, int] = {}  # of admitted messages, by their id

    def refuse(self, place: int, status: int) -> None:
        """This destination gets nothing."""
        self._statuses[place] = status

    @property
    def first_status(self) -> int:
        """The status of the first destination that was refused: the answer, where all were."""
        return self._statuses[min(self._statuses)]

    def unsuccess(self) -> tuple[UnsuccessSme, ...]:
        """The refused destinations as they were written, in their order; of a list its name."""
        return tuple(
            self._unsuccess(self._destinations[place], self._statuses[place]) for place in sorted(self._statuses)
        )

    @staticmethod
    def _unsuccess(destination: SmeAddress | DistributionList, status: int) -> UnsuccessSme:
        if isinstance(destination, DistributionList):
            return UnsuccessSme(0, 0, destination.dl_name, status)
        return UnsuccessSme(destination.dest_addr_ton, destination.dest_addr_npi, destination.destination_addr, status)


def read_submit_multi(pdu: SubmitMulti, esme: EsmeRow, now_ms: int) -> MultiSubmission | int:
    """What is asked, or the status of a field that is bad for all. There are no distribution lists here: 0x34 each."""
    if pdu.replace_if_present_flag:
        return CommandStatus.ESME_RINVREPFLAG  # one flag for many messages to replace: not served
    fields = {name: getattr(pdu, name) for name in _TEMPLATE_FIELDS}
    template = read_submit_sm(SubmitSm(**fields, dest_addr_ton=INTERNATIONAL), esme, now_ms)
    if isinstance(template, int):
        return template
    multi = MultiSubmission(pdu.dest_address)
    for place, destination in enumerate(pdu.dest_address):
        if isinstance(destination, DistributionList):
            multi.refuse(place, CommandStatus.ESME_RINVDLNAME)
            continue
        ton, npi = destination.dest_addr_ton, destination.dest_addr_npi
        fault = address_fault(0, 0, ton, npi)
        if fault:
            multi.refuse(place, fault)
            continue
        address = destination.destination_addr
        envelope = msgspec.structs.replace(
            template.envelope, dest_addr_ton=ton, dest_addr_npi=npi, submitted_destination=address
        )
        submission = msgspec.structs.replace(template, destination_addr=address, envelope=envelope)
        multi.submissions.append((place, submission))
    return multi
