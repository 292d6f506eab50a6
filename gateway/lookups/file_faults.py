"""Why a file of numbers is refused, in sentences for people: what is wrong and what to do, English and French.

One row a fault of table_shape.py; a test holds both lists together. {given} is the column, the line or the limit.
What must not enter: numbers (telecom.number_faults), protocols.
"""

from __future__ import annotations

from typing import Final

from gateway.lookups.table_shape import FileFault, FileRefused
from telecom.number_faults import Language

_SENTENCES: Final[dict[FileFault, tuple[str, str, str, str]]] = {
    "empty_file": (
        "the file has no row",
        "send a file with one number a row",
        "le fichier n'a aucune ligne",
        "envoyer un fichier d'un numéro par ligne",
    ),
    "not_text": (
        "the file is no text",
        "save the table as CSV (UTF-8)",
        "le fichier n'est pas du texte",
        "enregistrer le tableau en CSV (UTF-8)",
    ),
    "utf16": (
        "the file is written in UTF-16",
        "save the table as CSV (UTF-8)",
        "le fichier est écrit en UTF-16",
        "enregistrer le tableau en CSV (UTF-8)",
    ),
    "line_too_long": (
        "line {given} is longer than 65,536 octets",
        "write one number a row",
        "la ligne {given} dépasse 65 536 octets",
        "écrire un numéro par ligne",
    ),
    "too_many_rows": (
        "the file has more than {given} rows",
        "split it",
        "le fichier a plus de {given} lignes",
        "le partager",
    ),
    "no_number_column": (
        "no column has numbers in most of its rows",
        "name the column, by its heading or by its place from 1 on",
        "aucune colonne n'a des numéros dans la plupart de ses lignes",
        "nommer la colonne, par son titre ou par sa place à partir de 1",
    ),
    "unknown_column": (
        "there is no column {given}",
        "name one by its heading or by its place from 1 on",
        "il n'y a pas de colonne {given}",
        "en nommer une par son titre ou par sa place à partir de 1",
    ),
    "open_quote": (
        "a quotation mark before row {given} is never closed",
        "close or remove it",
        "un guillemet avant la ligne {given} n'est jamais fermé",
        "le fermer ou l'enlever",
    ),
}


def sentences_of(refused: FileRefused, language: Language) -> tuple[str, str]:
    """What is wrong with the file, and what to do."""
    row = _SENTENCES[refused.reason]
    complaint, remedy = row[2:] if language == "fr" else row[:2]
    return complaint.format(given=refused.given), remedy
