"""What would become of a submission, and why: each rule asked by itself, where `admit` stops at the first refusal.

Source: architecture section 3 (accept, route). For people: it may be slow, and never disagrees with `admit` and
`router.choose`, which give the last word. Pure: facts, health and time are passed in.
What must not enter: a database, sentences (the command line has them).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from gateway.accept.fact_book import ANY_PREFIX, FactBook
from gateway.accept.opt_outs import NOBODY, OptOuts
from gateway.accept.refusals import Refusal
from gateway.accept.rules import TON_ALPHANUMERIC, AcceptPolicy, admit
from gateway.message import Envelope, Message, Submission
from gateway.storage.facts import AccountRow, BlockRow, FactRows, RateRow
from router.choose import Explanation, explain
from router.facts import Facts, Health, NoRoute
from router.number_ranges import Network
from telecom.numbers import Number, NumberRefused, parse_number
from telecom.parts import Encoding, Estimate, encode_text, estimate, split_text

MINUTE_MS = 60_000
WEEK_MINUTES = 7 * 24 * 60
MONDAY_OFFSET_MINUTES = 3 * 24 * 60  # 1970-01-01 was a Thursday
NO_LOGIN = -1  # no esme_id, and not what the gateway itself sends either
UCS2 = 8  # SMPP v3.4 5.2.19


class Asked(Struct, frozen=True):
    """What somebody would send. sender: a name, or digits without plus; destination as written; at_ms: Unix
    milliseconds.
    """

    account: AccountRow
    sender: str
    destination: str
    text: str
    traffic_class: str
    at_ms: int


class Forecast(Struct, frozen=True):
    """Every rule's answer. refusal None: it would be accepted. rate None: one credit a part, the product's default.

    pieces: the text of each part, as it is cut. routes None: there is no number to route to.
    """

    number: Number | NumberRefused
    network: Network | None
    blocks: tuple[BlockRow, ...]
    opted_out: bool
    text: Estimate
    pieces: tuple[str, ...]
    rate: RateRow | None
    price_micros: int
    routes: Explanation | None
    refusal: Refusal | None


def forecast(
    asked: Asked,
    rows: FactRows,
    book: FactBook,
    policy: AcceptPolicy,
    health: Mapping[str, Health],
    opt_outs: OptOuts = NOBODY,
) -> Forecast:
    """What would be answered, and everything it is made of."""
    account = asked.account
    number = parse_number(asked.destination, default_region=account.default_region or policy.default_region)
    digits = number.e164 if isinstance(number, Number) else ""
    text = estimate(asked.text)
    admitted = admit(submission_of(asked, text.encoding), book, policy, asked.at_ms << 20, asked.at_ms, opt_outs)
    routes = explain(facts_of(asked, digits, book), book.routes, health) if digits else None
    refusal = admitted if isinstance(admitted, Refusal) else None
    if refusal is None and routes is not None and isinstance(routes.outcome, NoRoute):
        refusal = Refusal.NO_ROUTE
    price_micros = text.parts * (book.price_micros(account.account_id, digits) if digits else 0)
    if isinstance(admitted, Message):
        price_micros = admitted.price_micros
        if refusal is None and price_micros > account.balance_micros + account.credit_limit_micros:
            refusal = Refusal.NO_CREDIT
    return Forecast(
        number,
        book.networks.lookup(digits) if book.networks is not None and digits else None,
        blocks_of(rows.blocks, account.account_id, digits),
        opt_outs.forbid(account.account_id, digits, asked.traffic_class, NO_LOGIN) if digits else False,
        text,
        pieces_of(asked.text, text.encoding) if text.sendable else (),
        rate_of(rows.rates, account.account_id, digits),
        price_micros,
        routes,
        refusal,
    )


def submission_of(asked: Asked, encoding: Encoding) -> Submission:
    """The submission as a customer would make it."""
    encoded = encode_text(asked.text, encoding)
    numeric = asked.sender.isascii() and asked.sender.isdecimal()
    return Submission(
        asked.account.account_id,
        NO_LOGIN,
        asked.traffic_class,
        asked.sender,
        asked.destination,
        UCS2 if encoding.alphabet == "ucs2" else 0,
        encoded if isinstance(encoded, bytes) else asked.text.encode("utf-16-be", "surrogatepass"),
        Envelope(source_addr_ton=1 if numeric else TON_ALPHANUMERIC),
    )


def facts_of(asked: Asked, digits: str, book: FactBook) -> Facts:
    """What the router is told of it (gateway.lifecycle.route tells the same of a message)."""
    network = book.networks.lookup(digits) if book.networks is not None else None
    return Facts(
        digits,
        network.mcc if network else None,
        network.mnc if network else None,
        asked.account.account_id,
        asked.sender,
        asked.traffic_class,
        (asked.at_ms // MINUTE_MS + MONDAY_OFFSET_MINUTES) % WEEK_MINUTES,
        asked.at_ms,
        book.refused_senders.get(asked.sender.casefold(), frozenset())
        | book.sender_connectors.get((asked.account.account_id, asked.sender.casefold()), frozenset()),
    )


def blocks_of(blocks: Sequence[BlockRow], account_id: int, digits: str) -> tuple[BlockRow, ...]:
    """The blocks that forbid this destination to this account."""
    return tuple(b for b in blocks if digits.startswith(b.prefix) and b.account_id in (None, account_id) and digits)


def rate_of(rates: Sequence[RateRow], account_id: int, digits: str) -> RateRow | None:
    """The rate that prices a part to this destination: the account's own before everybody's, the longest prefix."""
    for owner in (account_id, None):
        fitting = [
            r for r in rates if r.account_id == owner and (r.prefix == ANY_PREFIX or digits.startswith(r.prefix))
        ]
        if fitting:
            return max(fitting, key=lambda rate: 0 if rate.prefix == ANY_PREFIX else len(rate.prefix))
    return None


def pieces_of(text: str, encoding: Encoding) -> tuple[str, ...]:
    """The text of each part."""
    parts = split_text(text, encoding, 0)
    if not isinstance(parts, list) or len(parts) < 2:
        return (text,)
    pieces, rest = [], text
    for part in parts:
        room = len(part) - (part[0] + 1)
        length = _fitting(rest, encoding, room)
        pieces.append(rest[:length])
        rest = rest[length:]
    return tuple(pieces)


def _fitting(text: str, encoding: Encoding, octets: int) -> int:
    """How many characters make up so many octets."""
    length = taken = 0
    while length < len(text) and taken < octets:
        encoded = encode_text(text[length], encoding)
        taken += len(encoded) if isinstance(encoded, bytes) else 0
        length += 1
    return length
