"""What the control door of the SMSC simulator obeys, so that a fault test steers it while it runs.

One object a line, answered by one line: {"statistics": true}, {"settings": true}, {"set": {"silence": 1.0}},
{"inbound": {"source_addr", "destination_addr", "text", "system_id"}}, {"octets": {... "octets", "data_coding",
"esm_class", "tlvs", "as_data_sm"}}, {"disconnect": "drop|unbind|half-open"}.
What must not enter: what a change does; SimulatedSmsc knows it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Protocol

from simulators.smsc.settings import SmscSettings


class Steered(Protocol):
    """What the door needs of a simulator."""

    settings: SmscSettings

    def report(self) -> dict[str, object]:
        """The statistics as plain values."""

    def change(self, plain: Mapping[str, object]) -> None:
        """Change settings; ValueError says why not."""

    def deliver_inbound(self, source_addr: str, destination_addr: str, text: str, system_id: str = "") -> str:
        """Inject a mobile originated message; return its ref."""

    def deliver_octets(self, source_addr: str, destination_addr: str, octets: str) -> str:
        """The same with user data of any kind, in hexadecimal; it knows more arguments."""

    def disconnect(self, how: str = "drop") -> int:
        """End the connections; return how many."""


def obey(steered: Steered, asked: dict[str, object]) -> dict[str, object]:
    """What a request line gets; ValueError or TypeError: why not."""
    told: dict[str, object] = {}
    for name, argument in asked.items():
        match name, argument:
            case "statistics", _:
                told["statistics"] = steered.report()
            case "settings", _:
                values = dataclasses.asdict(steered.settings) | {"password": None}
                told["settings"] = {name: str(getattr(steered.settings, name)) for name in values if name != "password"}
            case "set", dict():
                steered.change(argument)
            case "inbound", dict():
                told["ref"] = steered.deliver_inbound(**argument)
            case "octets", dict():
                told["ref"] = steered.deliver_octets(**argument)
            case "disconnect", str():
                told["disconnected"] = steered.disconnect(argument)
            case _:
                raise ValueError(f"unknown request {name!r}")
    return told
