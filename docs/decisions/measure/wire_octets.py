"""Decision 0008: submit_sm encoded and decoded by gateway.smpp and by smpplib; an envelope by msgspec's msgpack.

Run: .venv/bin/python docs/decisions/measure/wire_octets.py. The package msgpack is compared where it is installed.
What must not enter: a shortcut in either that its users would not take.
"""

# ruff: noqa: T201  a script that shows figures prints them
from __future__ import annotations

import importlib
import pickle
import statistics
import sys
import time
from collections.abc import Callable

import msgspec
import smpplib.client
import smpplib.smpp

from gateway.message import Envelope
from gateway.smpp.codec import decode_pdu, encode_pdu
from gateway.smpp.pdus import SubmitSm

ROUNDS = 5
TEXT = b"Your code is 482913. It is good for ten minutes." + b"x" * 112


def median_us(work: Callable[[], object], count: int) -> float:
    """Median microseconds of one call, over ROUNDS."""
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(count):
            work()
        found.append((time.perf_counter() - began) / count * 1e6)
    return statistics.median(found)


def pdus() -> None:
    ours = SubmitSm(
        sequence_number=7, source_addr_ton=5, source_addr="ACME", dest_addr_ton=1, dest_addr_npi=1,
        destination_addr="2290197123456", registered_delivery=1, short_message=TEXT,
    )  # fmt: skip
    client = smpplib.client.Client("127.0.0.1", 1)

    def theirs() -> bytes:
        pdu = smpplib.smpp.make_pdu(
            "submit_sm", client=client, source_addr_ton=5, source_addr="ACME", dest_addr_ton=1, dest_addr_npi=1,
            destination_addr="2290197123456", registered_delivery=1, short_message=TEXT,
        )  # fmt: skip
        octets: bytes = pdu.generate()
        return octets

    octets = encode_pdu(ours)
    foreign = theirs()
    assert decode_pdu(octets) == ours
    rows = (
        ("encode submit_sm", lambda: encode_pdu(ours), theirs),
        ("decode submit_sm", lambda: decode_pdu(octets), lambda: smpplib.smpp.parse_pdu(foreign, client=client)),
    )
    print(f"{'':24}{'gateway.smpp':>14}{'smpplib':>12}")
    for name, one, other in rows:
        print(f"{name:24}{median_us(one, 20_000):>11.2f} us{median_us(other, 2_000):>9.2f} us")


def envelopes() -> None:
    envelope = Envelope(5, 0, 1, 1, submitted_source="ACME", submitted_destination="+229 01 97 12 34 56")
    encode, decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(Envelope).decode
    stored = encode(envelope)
    print(f"\n{'envelope to octets and back':34}{'encode':>10}{'decode':>10}{'octets':>8}")
    print_row("msgspec.msgpack, typed", lambda: encode(envelope), lambda: decode(stored), stored)
    text = msgspec.json.encode(envelope)
    as_json = msgspec.json.Decoder(Envelope).decode
    print_row("msgspec.json, typed", lambda: msgspec.json.encode(envelope), lambda: as_json(text), text)
    pickled = pickle.dumps(envelope)
    print_row("pickle", lambda: pickle.dumps(envelope), lambda: pickle.loads(pickled), pickled)
    try:
        msgpack = importlib.import_module("msgpack")
    except ImportError:
        print("msgpack: not installed here")
        return
    packed = msgpack.packb(msgspec.structs.astuple(envelope))
    print_row(
        "msgpack",
        lambda: msgpack.packb(msgspec.structs.astuple(envelope)),
        lambda: Envelope(*msgpack.unpackb(packed)),
        packed,
    )


def print_row(name: str, encode: Callable[[], object], decode: Callable[[], object], octets: bytes) -> None:
    print(f"{name:34}{median_us(encode, 20_000):>7.2f} us{median_us(decode, 20_000):>7.2f} us{len(octets):>8}")


if __name__ == "__main__":
    print(f"Python {sys.version.split()[0]}, msgspec {msgspec.__version__}; median of {ROUNDS}")
    pdus()
    envelopes()
