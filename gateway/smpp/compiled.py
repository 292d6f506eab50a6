"""The field table turned into one straight-line function per PDU, for the hot path.

Measured (two shared cores, Python 3.11): submit_sm 5.8 us to read by walk.py, 1.1 us here. A compiled function
does what is regular and raises on anything else; its caller then asks walk.py, which knows the blame. Tests hold
both equal.
No rule may enter that is not in the table: this file only unrolls the loop over it.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from struct import error as StructError
from typing import Any, TypeAlias

from gateway.smpp.fields import LAYOUTS, MAX_SHORT_MESSAGE, CString, Layout, Octet, SmLength
from gateway.smpp.pdus import RESPONSE_BIT, Pdu
from gateway.smpp.walk import HEADER, HEADER_OCTETS, read_tlvs, write_tlvs

Encode: TypeAlias = Callable[[Any], bytes]
Decode: TypeAlias = Callable[[bytes, int, int, bool], Pdu]

# What comes out, for Layout(X, (CString("a", 6, ...), Octet("b"), Octet("c"), SmLength())):
#
#     def decode(octets, sequence_number, command_status, tolerant):
#         nul = octets.index(0, 16, 22)                  ValueError: a has no NUL within its 6 octets
#         a = octets[16:nul].decode("latin-1")
#         b = octets[nul + 1]                            IndexError: truncated
#         ...
#     def encode(pdu):
#         a = pdu.a
#         if len(a) >= 6 or "\0" in a: raise ValueError
#         body = f"{a}\0{OCTET[pdu.b]}{OCTET[pdu.c]}{OCTET[len(short_message)]}".encode("latin-1") + short_message
#         ...

# What a compiled function raises on anything irregular.
GIVES_UP = (ValueError, IndexError, KeyError, TypeError, StructError)

_OCTET_AS_TEXT = {value: chr(value) for value in range(256)}  # a dict: a negative index must not wrap around


def _is_regular(layout: Layout) -> bool:
    return all(isinstance(field, Octet | CString | SmLength) for field in layout.fields)


def _encode_source(layout: Layout) -> str:
    lines = ["def encode(pdu):"]
    if layout.refused_without_body:
        lines += [
            "    if pdu.command_status and not pdu.tlvs:",
            f"        return pack({HEADER_OCTETS}, {layout.pdu.command_id}, pdu.command_status, pdu.sequence_number)",
        ]
    text, tail = "", "b''"
    for field in layout.fields:
        match field:
            case Octet(name=name):
                text += f"{{OCTET[pdu.{name}]}}"
            case CString(name=name, max_octets=max_octets):
                lines += [
                    f"    {name} = pdu.{name}",
                    f"    if len({name}) >= {max_octets} or '\\0' in {name}: raise ValueError",
                ]
                text += f"{{{name}}}\\0"
            case SmLength(name=name):
                lines += [
                    f"    {name} = pdu.{name}",
                    f"    if len({name}) > {MAX_SHORT_MESSAGE}: raise ValueError",
                ]
                text += f"{{OCTET[len({name})]}}"
                tail = name
    lines += [
        f"    body = f'{text}'.encode('latin-1') + {tail}" if text else "    body = b''",
        "    if pdu.tlvs: body += write_tlvs(pdu.tlvs)",
        f"    return pack({HEADER_OCTETS} + len(body), {layout.pdu.command_id}, pdu.command_status,"
        " pdu.sequence_number) + body",
    ]
    return "\n".join(lines)


def _decode_source(layout: Layout) -> str:
    lines = ["def decode(octets, sequence_number, command_status, tolerant):", f"    at = {HEADER_OCTETS}"]
    if layout.pdu.command_id & RESPONSE_BIT and layout.readable_without_body:
        lines.insert(1, f"    if len(octets) == {HEADER_OCTETS}: return pdu_type(sequence_number, command_status)")
    octet_run: list[str] = []

    def flush_octet_run() -> None:
        count = len(octet_run)
        if count > 2:  # below, indexing is faster than unpacking (measured)
            lines.append(f"    {', '.join(octet_run)} = unpack_{count}(octets, at)")
        else:
            lines.extend(f"    {name} = octets[at + {offset}]" for offset, name in enumerate(octet_run))
        if count:
            lines.append(f"    at += {count}")
        octet_run.clear()

    for field in layout.fields:
        match field:
            case Octet(name=name):
                octet_run.append(name)
            case CString(name=name, max_octets=max_octets):
                flush_octet_run()
                lines += [
                    f"    nul = octets.index(0, at, at + {max_octets})",
                    f"    {name} = octets[at:nul].decode('latin-1') if nul > at else ''",
                    "    at = nul + 1",
                ]
            case SmLength(name=name):
                octet_run.append("sm_length")
                flush_octet_run()
                lines += [
                    "    end = at + sm_length",
                    f"    if sm_length > {MAX_SHORT_MESSAGE} or end > len(octets): raise ValueError",
                    f"    {name} = octets[at:end]",
                    "    at = end",
                ]
    flush_octet_run()
    names = "".join(f", {field.name}" for field in layout.fields)
    must_look = "True" if layout.mandatory_tlvs else "at != len(octets)"
    lines += [
        f"    tlvs = read_tlvs(layout, octets, at, tolerant) if {must_look} else ()",
        f"    return pdu_type(sequence_number, command_status, tlvs{names})",
    ]
    return "\n".join(lines)


def _compile(source: str, layout: Layout) -> Any:
    room: dict[str, Any] = {
        "OCTET": _OCTET_AS_TEXT,
        "pack": HEADER.pack,
        "write_tlvs": write_tlvs,
        "read_tlvs": read_tlvs,
        "layout": layout,
        "pdu_type": layout.pdu,
        **{f"unpack_{count}": Struct("B" * count).unpack_from for count in range(3, 20)},
    }
    before = set(room)
    exec(compile(source, f"<{layout.pdu.__name__} from fields.py>", "exec"), room)
    (name,) = set(room) - before - {"__builtins__"}
    return room[name]


ENCODERS: dict[int, Encode] = {
    command_id: _compile(_encode_source(layout), layout)
    for command_id, layout in LAYOUTS.items()
    if _is_regular(layout)
}
DECODERS: dict[int, Decode] = {
    command_id: _compile(_decode_source(layout), layout)
    for command_id, layout in LAYOUTS.items()
    if _is_regular(layout)
}
