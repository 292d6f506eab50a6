"""Which network a number belongs to by its numbering range: prefix to MCC, MNC and operator name.

Rows are given by the operator of the gateway (national numbering plans; MCC and MNC as in ITU-T E.212, 2
and 3). A range says who was assigned the number, not who serves it after porting: no lookup of ported
numbers may enter here.
"""

from collections.abc import Iterable

from msgspec import Struct

from router.prefixes import PrefixMap, is_prefix


class Network(Struct, frozen=True, gc=False):
    """A mobile network: mcc 3 digits, mnc 2 or 3 digits ("01" and "001" differ), operator a name for
    people."""

    mcc: str
    mnc: str
    operator: str


class NumberRange(Struct, frozen=True, gc=False):
    """One row: every number that opens with prefix was assigned to network."""

    prefix: str
    network: Network


class RangeFault(Struct, frozen=True):
    """A row that cannot be used: its prefix as written, what is wrong, and what to write instead."""

    prefix: str
    fault: str
    remedy: str


def is_mcc(text: str) -> bool:
    """Whether text is a mobile country code: three digits (E.212, 2.1)."""
    return len(text) == 3 and text.isascii() and text.isdigit()


def is_mnc(text: str) -> bool:
    """Whether text is a mobile network code: two or three digits (E.212, 2.2)."""
    return len(text) in (2, 3) and text.isascii() and text.isdigit()


class NumberRanges:
    """Numbering ranges ready to be asked; build it with `compile`."""

    __slots__ = ("_networks", "lookup")

    def __init__(self, networks: PrefixMap[Network]) -> None:
        self._networks = networks
        self.lookup = networks.longest
        """lookup(number) -> Network | None: by the longest range that opens the number (E.164 digits)."""

    @classmethod
    def compile(cls, rows: Iterable[NumberRange]) -> "NumberRanges | list[RangeFault]":
        """Check every row; give the ranges, or all faults at once."""
        found: dict[str, Network] = {}
        faults: list[RangeFault] = []
        for row in rows:
            fault = _fault_of(row, found)
            if fault is not None:
                faults.append(fault)
            found.setdefault(row.prefix, row.network)
        return faults or cls(PrefixMap(found))


def _fault_of(row: NumberRange, found: dict[str, Network]) -> RangeFault | None:
    network = row.network
    if not is_prefix(row.prefix):
        return RangeFault(
            row.prefix,
            f"range prefix {row.prefix!r} is not the opening of an E.164 number",
            "write 1 to 15 digits from the country code on, without plus or zeros before it",
        )
    if not is_mcc(network.mcc) or not is_mnc(network.mnc):
        return RangeFault(
            row.prefix,
            f"range {row.prefix} names network {network.mcc!r}/{network.mnc!r}",
            "write an MCC of 3 digits and an MNC of 2 or 3 digits",
        )
    if found.get(row.prefix, network) != network:
        return RangeFault(
            row.prefix,
            f"range {row.prefix} is given to {found[row.prefix].operator} and to {network.operator}",
            "keep one of the two rows, or split the range by a longer prefix",
        )
    return None
