"""Why a text is no number, in sentences for people: one row a fault, English and French.

Follows the faults of numbers.py; a test holds both lists together. Every sentence says what to write instead.
What must not enter: codes of any protocol, the number itself.
"""

from typing import Final, Literal

from telecom.numbers import NumberFault

Language = Literal["en", "fr"]

_SENTENCES: Final[dict[NumberFault, tuple[str, str]]] = {
    "empty": (
        "there is no number: write digits with the country code",
        "il n'y a pas de numéro : écrire des chiffres avec l'indicatif du pays",
    ),
    "not_digits": (
        "other characters than digits: write digits, with + before the country code",
        "autre chose que des chiffres : écrire des chiffres, avec + devant l'indicatif du pays",
    ),
    "alphanumeric": (
        "a name cannot be called: write digits",
        "un nom ne peut pas être appelé : écrire des chiffres",
    ),
    "too_short": (
        "too few digits: write the whole number with its country code",
        "trop peu de chiffres : écrire le numéro entier avec l'indicatif du pays",
    ),
    "too_long": (
        "more than the 15 digits a number can have: look for two numbers in one",
        "plus que les 15 chiffres qu'un numéro peut avoir : chercher deux numéros en un",
    ),
    "no_country_code": (
        "it begins with 0 where the country code must stand: write the country code, or give the country",
        "il commence par 0 à la place de l'indicatif : écrire l'indicatif du pays, ou donner le pays",
    ),
    "unknown_country_code": (
        "no country has this code: check the first digits",
        "aucun pays n'a cet indicatif : vérifier les premiers chiffres",
    ),
    "national_without_region": (
        "the number of which country? write the country code, or give the country",
        "un numéro de quel pays ? écrire l'indicatif du pays, ou donner le pays",
    ),
    "unknown_region": (
        "the country given is unknown: give two letters, like BJ",
        "le pays donné est inconnu : donner deux lettres, par exemple BJ",
    ),
    "not_valid": (
        "the numbering plan of its country has no such number: check the digits",
        "le plan de numérotation de son pays n'a pas ce numéro : vérifier les chiffres",
    ),
}


def sentence_of(fault: NumberFault, language: Language) -> str:
    """What is wrong and what to do, in one sentence."""
    english, french = _SENTENCES[fault]
    return french if language == "fr" else english
