"""How the settings of a simulator are written: "20..200", "0x08=0.01,0x45=0.02", "127.0.0.1:2775".

What belongs here: parsing of plain values (command line, control port) to typed ones; the notations are chosen.
Sources: SMPP v3.4 5.1.3 for statuses, written in hexadecimal or decimal.
What must not enter: what a setting means, or its default.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Chance = Callable[[], float]  # the next number of a seeded sequence, 0 <= x < 1
Settings = TypeVar("Settings")


@dataclass(frozen=True, slots=True)
class Milliseconds:
    """A span of time to draw from, in milliseconds, both ends included."""

    low: float = 0.0
    high: float = 0.0

    @classmethod
    def parse(cls, text: str | float) -> Milliseconds:
        """ "A..B" or "A". ValueError: not numbers, negative, or B below A."""
        low_text, dots, high_text = str(text).partition("..")
        low = float(low_text)
        high = float(high_text) if dots else low
        if not 0.0 <= low <= high < float("inf"):
            raise ValueError(f"{text!r} is not a span of milliseconds such as 20 or 20..200")
        return cls(low, high)

    def draw(self, chance: Chance) -> float:
        """One span, in milliseconds; takes no chance when both ends are the same."""
        if self.low == self.high:
            return self.low
        return self.low + (self.high - self.low) * chance()

    def __str__(self) -> str:
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g}..{self.high:g}"


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of outcomes: ((name, share), ...), shares summing to at most 1; the rest is the ordinary outcome."""

    shares: tuple[tuple[str, float], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Mix:
        """ "NAME=SHARE,NAME=SHARE"; "" is no mix. ValueError: another form, or shares beyond 1."""
        shares = []
        for entry in filter(None, (entry.strip() for entry in text.split(","))):
            name, equals, share = entry.partition("=")
            if not equals or not name.strip():
                raise ValueError(f"{entry!r} is not NAME=SHARE")
            shares.append((name.strip(), parse_rate(share)))
        if sum(share for _, share in shares) > 1.0 + 1e-9:
            raise ValueError(f"the shares of {text!r} exceed 1")
        return cls(tuple(shares))

    def pick(self, drawn: float) -> str | None:
        """The name whose share `drawn` (0 <= drawn < 1) falls into; None: the rest."""
        for name, share in self.shares:
            if drawn < share:
                return name
            drawn -= share
        return None

    def __str__(self) -> str:
        return ",".join(f"{name}={share:g}" for name, share in self.shares)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A TCP host and port; port 0 where a listener may take any free one."""

    host: str = "127.0.0.1"
    port: int = 0

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """ "HOST:PORT", "[IPV6]:PORT". ValueError: another form, or a port beyond 65535."""
        host, colon, port_text = text.rpartition(":")
        if not colon or not port_text.isdecimal() or int(port_text) > 65535:
            raise ValueError(f"{text!r} is not HOST:PORT")
        return cls(host.strip("[]") or "127.0.0.1", int(port_text))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_rate(text: str | float) -> float:
    """A share between 0 and 1. ValueError: anything else."""
    rate = float(text)
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"{text!r} is not a share between 0 and 1")
    return rate


def parse_status(text: str) -> int:
    """A command_status in hexadecimal (0x..) or decimal, 0..0xFFFFFFFF. ValueError: anything else."""
    status = int(text, 0)
    if not 0 <= status <= 0xFFFFFFFF:
        raise ValueError(f"{text!r} is not a command_status")
    return status


def parse_quantity(value: object) -> float:
    """A number from 0 to 1e9. ValueError: anything else."""
    number = float(str(value))
    if not 0.0 <= number <= 1e9:
        raise ValueError(f"{value!r} is not between 0 and 1e9")
    return number


def parse_flag(value: object) -> bool:
    """True or false, also as words. ValueError: anything else."""
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    raise ValueError(f"{value!r} is not true or false")


def parse_optional_path(value: object) -> Path | None:
    """A path; None for None and ""."""
    return None if value in (None, "") else Path(str(value))


def parse_settings(
    settings: Settings, plain: Mapping[str, object], parsers: Mapping[str, Callable[..., object]]
) -> Settings:
    """The settings (a frozen dataclass) with plain values taken over, each through the parser of its name.

    ValueError: an unknown name (with a suggestion) or a value that its parser refuses (named).
    """
    changes: dict[str, object] = {}
    for name, value in plain.items():
        parser = parsers.get(name)
        if parser is None:
            near = difflib.get_close_matches(name, parsers, n=1)
            raise ValueError(f"unknown setting {name!r}" + (f", did you mean {near[0]!r}?" if near else ""))
        try:
            changes[name] = parser(value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name}: {error}") from error
    return dataclasses.replace(settings, **changes)  # type: ignore[type-var]
