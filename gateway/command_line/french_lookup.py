"""The French of `lookup` (lookup.py): the same rules as french.py.

What belongs here: translations, in the order help, answers, refusals, columns.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

LOOKUP: Final = {
    "A CSV of numbers.": "Un CSV de numéros.",
    "Ask the ranges of the database first (passerelle range).": (
        "Interroger d'abord les tranches de la base (passerelle range)."
    ),
    "Heading or place of the column; else it is found.": "Titre ou place de la colonne ; sinon on la trouve.",
    "Numbers, as people write them.": "Des numéros, comme on les écrit.",
    "Say what numbers tell: valid, country, operator by range, kind, time zone, new form of an old number.": (
        "Dire ce que disent des numéros : validité, pays, opérateur de la tranche, genre, fuseau, nouvelle forme d'un"
        " ancien numéro."
    ),
    "Where the result goes, as CSV.": "Où va le résultat, en CSV.",
    "{rows} numbers: {valid} valid, {invalid} not, {duplicates} more than once, {migrated} of an old plan; {out}": (
        "{rows} numéros : {valid} valides, {invalid} non, {duplicates} plus d'une fois, {migrated} d'un ancien plan ;"
        " {out}"
    ),
    "there is nothing to look up, or too much": "il n'y a rien à chercher, ou trop",
    "name numbers, or a file: passerelle lookup --file IN.csv --out OUT.csv": (
        "donner des numéros, ou un fichier : passerelle lookup --file ENTRÉE.csv --out SORTIE.csv"
    ),
    "{file} exists": "{file} existe",
    "name another file, or remove it": "donner un autre nom, ou l'enlever",
    "explanation": "explication",
    "given": "donné",
    "international": "international",
    "migrated_from": "ancien_numéro",
    "migrated_since": "nouveau_plan_depuis",
    "national": "national",
    "operator": "opérateur",
    "operator_source": "source_de_l'opérateur",
    "portable": "portable",
    "time_zones": "fuseaux",
    "valid": "valide",
}
