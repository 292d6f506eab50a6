"""A rate card: CSV as carriers and spreadsheets write it, read into rates with every fault by its line; and written.

Columns by their headings, in English or French: prefix, price, and account where a rate is one account's. RFC 4180 and
what Excel does in spite of it: semicolons, decimal commas, a byte order mark, Windows-1252. Pure: octets in, rates out.
What must not enter: which accounts exist (the caller's mapping), drafts.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from gateway.storage.facts import RateRow
from router.prefixes import is_prefix
from router.route import EVERYTHING
from telecom.money import MICROS_PER_CREDIT, MoneyRefused, format_credits, parse_credits

ROWS_LIMIT: Final = 200_000  # chosen: the prefixes of the world's networks are a tenth of it
OCTETS_LIMIT: Final = 16 * 1024 * 1024  # chosen: eighty octets a row
FAULTS_LIMIT: Final = 200  # chosen: told one by one; the rest is counted
PRICE_LIMIT_MICROS: Final = 10_000 * MICROS_PER_CREDIT  # as `passerelle rate add`: dearer is a slip of the keyboard
DELIMITERS: Final = (";", "\t", ",", "|")  # a comma may be the decimal sign: asked last but one
HEADINGS: Final = {
    "prefix": ("prefix", "prefixe", "destination", "to", "vers", "code", "indicatif"),
    "price": ("price", "prix", "rate", "tarif", "credits", "cost", "cout"),
    "account": ("account", "compte"),
}

CardFault = Literal["empty", "not_text", "no_heading", "too_many_rows", "too_large", "open_quote"]
LineFault = Literal["prefix", "price", "free", "too_dear", "account", "twice", "columns"]
Language = Literal["en", "fr"]

_SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "empty": ("the file has no row: send a rate a line", "le fichier n'a aucune ligne : envoyez un tarif par ligne"),
    "not_text": (
        "the file is no text: save it as CSV (UTF-8)",
        "ce n'est pas du texte : enregistrez-le en CSV (UTF-8)",
    ),
    "no_heading": (
        "the first line must name the columns prefix and price",
        "la première ligne doit nommer les colonnes préfixe et prix",
    ),
    "too_many_rows": (
        "the card has more than {text} rows: leave out what other prefixes cover, or split it by accounts",
        "la grille dépasse {text} lignes : retirez ce que d'autres préfixes couvrent, ou partagez-la par comptes",
    ),
    "too_large": ("the file is larger than {text} octets: split it", "le fichier dépasse {text} octets : partagez-le"),
    "open_quote": ("a quotation mark is never closed", "un guillemet n'est jamais fermé"),
    "prefix": (
        "{text} is no prefix: write 1 to 15 digits from the country code on, or *",
        "{text} n'est pas un préfixe : écrivez 1 à 15 chiffres à partir de l'indicatif du pays, ou *",
    ),
    "price": (
        "{text} is no price: write credits with at most six decimals",
        "{text} n'est pas un prix : écrivez des crédits, avec six décimales au plus",
    ),
    "free": ("0 credits are refused in a card: write free", "0 crédit est refusé dans une grille : écrivez gratuit"),
    "too_dear": ("{text} credits a part cannot be meant", "{text} crédits par segment : ce ne peut être voulu"),
    "account": ("there is no account {text}", "le compte {text} n'existe pas"),
    "twice": ("this prefix stands in line {text} already", "ce préfixe figure déjà à la ligne {text}"),
    "columns": ("the line has too few columns", "la ligne a trop peu de colonnes"),
}


class LineFaultFound(msgspec.Struct, frozen=True):
    """What is wrong with a line. line: from 1 on, the heading counted."""

    line: int
    kind: LineFault
    text: str = ""

    def sentence(self, language: Language) -> str:
        """As people read it."""
        return _SENTENCES[self.kind][language == "fr"].format(text=self.text)


class CardRefused(msgspec.Struct, frozen=True):
    """The file cannot be read as a card."""

    kind: CardFault
    text: str = ""

    def sentence(self, language: Language) -> str:
        """What is wrong and what to do."""
        return _SENTENCES[self.kind][language == "fr"].format(text=self.text)


class Card(msgspec.Struct, frozen=True):
    """What a file says. faults: the first of them, by line; fault_count: all."""

    rates: list[RateRow]
    faults: list[LineFaultFound]
    fault_count: int


def read_card(octets: bytes, accounts: Mapping[str, int], account_id: int | None) -> Card | CardRefused:
    """Read a card. accounts: numbers by name; account_id: whose rates they are where no column says it, None: all."""
    if len(octets) > OCTETS_LIMIT:
        return CardRefused("too_large", str(OCTETS_LIMIT))
    if b"\0" in octets:
        return CardRefused("not_text")
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = octets.decode("cp1252", "replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    heading, _, rest = text.lstrip("\n").partition("\n")
    if not heading.strip():
        return CardRefused("empty")
    delimiter = max(DELIMITERS, key=heading.count)
    columns = _columns(next(csv.reader([heading], delimiter=delimiter)))
    if "prefix" not in columns or "price" not in columns:
        return CardRefused("no_heading")
    if rest.count("\n") > ROWS_LIMIT:
        return CardRefused("too_many_rows", str(ROWS_LIMIT))
    lines = csv.reader(io.StringIO(rest, newline=""), delimiter=delimiter, strict=True)
    try:
        return _read_lines(lines, columns, accounts, account_id)
    except csv.Error:
        return CardRefused("open_quote")


def _columns(headings: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, heading in enumerate(headings):
        plain = "".join(ch for ch in unicodedata.normalize("NFKD", heading.casefold()) if ch.isascii() and ch.isalpha())
        for name, words in HEADINGS.items():
            if plain in words:
                found.setdefault(name, place)
    return found


def _read_lines(
    lines: Iterable[list[str]], columns: Mapping[str, int], accounts: Mapping[str, int], account_id: int | None
) -> Card:
    rates: list[RateRow] = []
    faults: list[LineFaultFound] = []
    first_line: dict[tuple[int | None, str], int] = {}
    fault_count = 0
    least = max(columns["prefix"], columns["price"])
    for number, cells in enumerate(lines, 2):
        if not any(cell.strip() for cell in cells):
            continue
        found = LineFaultFound(number, "columns")
        rate = found if len(cells) <= least else _read_line(number, cells, columns, accounts, account_id)
        if isinstance(rate, RateRow):
            key = rate.account_id, rate.prefix
            before = first_line.setdefault(key, number)
            if before == number:
                rates.append(rate)
                continue
            rate = LineFaultFound(number, "twice", str(before))
        fault_count += 1
        if len(faults) < FAULTS_LIMIT:
            faults.append(rate)
    return Card(rates, faults, fault_count)


def _read_line(
    number: int,
    cells: list[str],
    columns: Mapping[str, int],
    accounts: Mapping[str, int],
    account_id: int | None,
) -> RateRow | LineFaultFound:
    prefix = cells[columns["prefix"]].strip().lstrip("'").removeprefix("+").replace(" ", "")
    if prefix != EVERYTHING and not is_prefix(prefix):
        return LineFaultFound(number, "prefix", _bounded(cells[columns["prefix"]]))
    price = _price(cells[columns["price"]])
    if isinstance(price, str):
        return LineFaultFound(number, price, _bounded(cells[columns["price"]]))  # type: ignore[arg-type]  # a LineFault
    place = columns.get("account")
    named = "" if place is None or place >= len(cells) else cells[place].strip().lstrip("'")
    if named and named not in accounts:
        return LineFaultFound(number, "account", _bounded(named))
    return RateRow(0, accounts[named] if named else account_id, prefix, price)


def _price(cell: str) -> int | str:
    """Micros, or the fault of a cell: decimal point or comma, thousands by spaces."""
    plain = cell.strip().lstrip("'").replace("\N{NO-BREAK SPACE}", "").replace("\N{NARROW NO-BREAK SPACE}", "")
    plain = plain.replace(" ", "")
    if plain.casefold() in ("free", "gratuit"):
        return 0
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    price = parse_credits(plain)
    if isinstance(price, MoneyRefused):
        return "price"
    if price == 0:
        return "free"
    return "too_dear" if price > PRICE_LIMIT_MICROS else price


def _bounded(text: str) -> str:
    return repr(text.strip()[:40])


def write_card(rates: Iterable[RateRow], accounts: Mapping[int, str], language: Language) -> bytes:
    """The card that read_card reads: for Excel, in French with semicolons and decimal commas."""
    french = language == "fr"
    out = io.StringIO(newline="")
    table = csv.writer(out, delimiter=";" if french else ",")
    table.writerow(("préfixe", "prix", "compte") if french else ("prefix", "price", "account"))
    for rate in rates:
        price = format_credits(rate.price_micros) if rate.price_micros else ("gratuit" if french else "free")
        owner = "" if rate.account_id is None else accounts.get(rate.account_id, "")
        if owner and owner[0] in "=+-@\t\r":
            owner = f"'{owner}"  # a spreadsheet would compute it
        table.writerow((rate.prefix, price.replace(".", ",") if french else price, owner))
    return b"\xef\xbb\xbf" + out.getvalue().encode()
