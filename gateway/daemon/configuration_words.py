"""What an operator reads when the TOML is wrong, in English and in French; nothing but words.

Each sentence names the culprit and what to do. The two tables have the same keys and the same gaps (a test sees to it).
What must not enter: reading, checking.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from gateway.receipts.carrier_errors import ErrorMeaning

Language = Literal["en", "fr"]

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "unreadable": "{file}: cannot be read ({why}); name the file with --config, or make it readable",
        "not_utf8": "{file}: is not UTF-8; save it as UTF-8",
        "not_toml": "{file}: is not TOML: {why}; put that line right",
        "not_a_table": "{section} must be a section: write [{section}] on a line of its own",
        "not_a_list": "each {section} is a section of its own: write [[{section}]], with two brackets",
        "unknown": "unknown key {key} in {section}; known there: {known}",
        "unknown_near": "unknown key {key} in {section}; did you mean {near}?",
        "missing": "{section} lacks {key}; add a line {key} = ...",
        "wrong": "{key} = {given} cannot be; expected {expected}",
        "twice": "two connectors are called {name}; give each its own name",
        "secret_form": '{key} is a secret: write {{ file = "..." }}, {{ credential = "..." }} or {{ value = "..." }}',
        "file_form": '{key} is a file that is read again when it changes: write {{ file = "..." }} or '
        '{{ credential = "..." }}',
        "secret_unreadable": "{key}: the file {file} cannot be read ({why}); make it, or name another",
        "secret_empty": "{key} is empty; put the word there",
        "secret_long": "{key} has more than {limit} octets, which SMPP cannot carry; ask the carrier for a shorter one",
        "no_credentials": "credential {name}: systemd gave none; add LoadCredential={name}:/path to the unit, "
        "or use file = ...",
        "wrong_scheme": "{key} must begin with {scheme}",
        "tls_off": "{key} has no effect without tls = true; add that line, or remove this one",
        "outbind_open": "outbind_listen needs outbind_system_id and outbind_password: whoever says them gets our "
        "password; ask the carrier for its own",
        "tls_pair": "tls_certificate and tls_key belong together; name both, or neither",
        "mail_pair": "[mail] user and password belong together; name both, or neither",
        "mail_clear": 'tls = "none" would send the password in the clear; write tls = "starttls" or "tls"',
        "mail_sender": "sender = {given} is no e-mail address; write one like passerelle@example.net",
        "notices_pair": "[notices] account and sms_sender belong together: who pays for SMS, and whom they come from",
        "tlv_standard": "{tag} is {name}, a standard TLV, which travels without a declaration; take its line out",
        "tlv_span": '{tag} = "{name}": no value is that long; write for instance "octets 1-4"',
    },
    "fr": {
        "unreadable": "{file} : illisible ({why}) ; indiquez le fichier par --config ou donnez le droit de le lire",
        "not_utf8": "{file} : n'est pas en UTF-8 ; enregistrez-le en UTF-8",
        "not_toml": "{file} : n'est pas du TOML : {why} ; corrigez cette ligne",
        "not_a_table": "{section} doit être une section : écrivez [{section}] seul sur sa ligne",
        "not_a_list": "chaque {section} est une section à part : écrivez [[{section}]], avec deux crochets",
        "unknown": "clé inconnue {key} dans {section} ; clés connues : {known}",
        "unknown_near": "clé inconnue {key} dans {section} ; vouliez-vous dire {near} ?",
        "missing": "il manque {key} dans {section} ; ajoutez une ligne {key} = ...",
        "wrong": "{key} = {given} n'est pas possible ; attendu : {expected}",
        "twice": "deux connecteurs s'appellent {name} ; donnez à chacun son nom",
        "secret_form": '{key} est un secret : écrivez {{ file = "..." }}, {{ credential = "..." }} '
        'ou {{ value = "..." }}',
        "file_form": '{key} est un fichier, relu quand il change : écrivez {{ file = "..." }} ou '
        '{{ credential = "..." }}',
        "secret_unreadable": "{key} : le fichier {file} est illisible ({why}) ; créez-le ou indiquez-en un autre",
        "secret_empty": "{key} est vide ; mettez-y le mot",
        "secret_long": "{key} dépasse {limit} octets, SMPP ne peut le porter ; demandez-en un plus court à l'opérateur",
        "no_credentials": "credential {name} : systemd n'en a donné aucun ; ajoutez LoadCredential={name}:/chemin "
        "à l'unité, ou utilisez file = ...",
        "wrong_scheme": "{key} doit commencer par {scheme}",
        "tls_off": "{key} est sans effet sans tls = true ; ajoutez cette ligne ou enlevez celle-ci",
        "outbind_open": "outbind_listen exige outbind_system_id et outbind_password : qui les dit reçoit notre mot de "
        "passe ; demandez ceux de l'opérateur",
        "tls_pair": "tls_certificate et tls_key vont ensemble ; indiquez les deux, ou aucun",
        "mail_pair": "dans [mail], user et password vont ensemble ; indiquez les deux, ou aucun",
        "mail_clear": 'tls = "none" enverrait le mot de passe en clair ; écrivez tls = "starttls" ou "tls"',
        "mail_sender": "sender = {given} n'est pas une adresse e-mail ; écrivez par exemple passerelle@example.net",
        "notices_pair": "dans [notices], account et sms_sender vont ensemble : qui paie les SMS, de qui ils viennent",
        "tlv_standard": "{tag} est {name}, un TLV standard, qui passe sans déclaration ; enlevez sa ligne",
        "tlv_span": '{tag} = "{name}" : aucune valeur n\'a cette longueur ; écrivez par exemple "octets 1-4"',
    },
}

Expected = dict[Language, str]
PLAIN: dict[Any, Expected] = {
    ErrorMeaning: {
        "en": '{ text = "...", permanent = true or false }',
        "fr": '{ text = "...", permanent = true ou false }',
    },
    str: {"en": "text", "fr": "un texte"},
    int: {"en": "a whole number", "fr": "un nombre entier"},
    float: {"en": "a number", "fr": "un nombre"},
    bool: {"en": "true or false", "fr": "true ou false"},
}


def expected(hint: Any) -> Expected:
    """A type of the schema in words."""
    if get_origin(hint) is Literal:
        return one_of(get_args(hint))
    if get_origin(hint) is tuple:
        of = expected(get_args(hint)[0])
        return {"en": f"a list of: {of['en']}", "fr": f"une liste de : {of['fr']}"}
    if get_origin(hint) is dict:
        key, value = (expected(each) for each in get_args(hint))
        return {
            "en": f"a table: {key['en']} = {value['en']}",
            "fr": f"une table : {key['fr']} = {value['fr']}",
        }
    if get_origin(hint) is Annotated:
        plain, *metas = get_args(hint)
        return _bounded(PLAIN[plain], next(each for each in metas if isinstance(each, msgspec.Meta)))
    return PLAIN.get(hint, PLAIN[str])


def one_of(choices: Iterable[object]) -> Expected:
    listed = ", ".join(as_toml(each) for each in choices)
    return {"en": f"one of {listed}", "fr": f"l'un de {listed}"}


def as_toml(value: object) -> str:
    """A value as the operator would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return "[" + ", ".join(as_toml(each) for each in value) + "]"
    if isinstance(value, dict):
        return "{...}"  # it may hold a secret
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)


def _bounded(plain: Expected, meta: msgspec.Meta) -> Expected:
    if meta.pattern is not None:
        return {"en": f"text like {meta.pattern}", "fr": f"un texte de la forme {meta.pattern}"}
    if meta.max_length is not None:
        low = meta.min_length or 0
        return {
            "en": f"text of {low} to {meta.max_length} characters",
            "fr": f"un texte de {low} à {meta.max_length} caractères",
        }
    if meta.gt is not None:
        return {
            "en": f"{plain['en']} above {meta.gt}, at most {meta.le}",
            "fr": f"{plain['fr']} au-dessus de {meta.gt}, {meta.le} au plus",
        }
    return {
        "en": f"{plain['en']} from {meta.ge} to {meta.le}",
        "fr": f"{plain['fr']} de {meta.ge} à {meta.le}",
    }
