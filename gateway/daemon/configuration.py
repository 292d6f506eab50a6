"""Reading the TOML into a Configuration: every fault at once, each with its line, its culprit and its remedy.

Secrets are taken by reference: { file = "..." } relative to the TOML, { credential = "..." } of systemd
($CREDENTIALS_DIRECTORY, systemd.exec(5) "Credentials"), { value = "..." }.
What must not enter: keys and defaults (configuration_schema.py), the starting of anything.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from gateway.daemon import configuration_words
from gateway.daemon.configuration_schema import (
    CONNECTOR_KINDS,
    Addresses,
    Configuration,
    Endpoint,
    FileReference,
    Secret,
    SmppConnector,
)
from gateway.daemon.configuration_words import Language
from gateway.notices.addresses import read_email
from gateway.smpp.declared_tlvs import BadDeclaration, parse_declared

__all__ = [
    "Configuration",
    "ConfigurationFault",
    "Endpoint",
    "Secret",
    "SmppConnector",
    "default_configuration",
    "load_configuration",
]

TLS_KEYS = ("tls_ca", "tls_server_name", "tls_pins", "tls_certificate", "tls_key")
SECRET_REFERENCES = ("file", "credential", "value")
FILE_REFERENCES = SECRET_REFERENCES[:2]  # what is read again while the node runs cannot stand in the TOML
PASSWORD_LIMIT = 8  # octets: SMPP v3.4 5.2.2, nine with the zero
HIGHEST_PORT = 65_535
HERE = ("localhost", "127.0.0.1", "::1")  # where a password may travel in the clear
SUGGESTION_LIKENESS = 0.6  # chosen: difflib's own, "lisen" finds "listen"

Table = dict[str, Any]
Place = tuple[str, ...]


class ConfigurationFault(Exception):
    """The file cannot be used; `messages` holds every fault found, one line each."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__("\n".join(messages))
        self.messages = messages


def load_configuration(path: Path | str, lang: Language = "en") -> Configuration:
    """Read and check the file at `path`. Raises ConfigurationFault with all faults, worded in `lang`."""
    file = Path(path)
    words = configuration_words.WORDS[lang]
    try:
        text = file.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except OSError as fault:
        raise ConfigurationFault([words["unreadable"].format(file=file, why=fault.strerror)]) from fault
    except UnicodeDecodeError as fault:
        raise ConfigurationFault([words["not_utf8"].format(file=file)]) from fault
    except tomllib.TOMLDecodeError as fault:
        raise ConfigurationFault([words["not_toml"].format(file=file, why=fault)]) from fault
    reading = _Reading(file, text, words)
    configuration = reading.read(tables)
    if reading.faults or configuration is None:
        raise ConfigurationFault([message for _, message in sorted(reading.faults, key=lambda each: each[0])])
    return configuration


def default_configuration(folder: Path) -> Configuration:
    """What an empty file in `folder` gives: for a run without a file."""
    return Configuration(node=msgspec.structs.replace(Configuration().node, data_dir=default_data_dir(folder)))


def default_data_dir(folder: Path) -> Path:
    """$STATE_DIRECTORY (systemd.exec(5); the first, where there are several), else .passerelle in `folder`."""
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    return Path(given) if given else folder.absolute() / ".passerelle"


class _Reading:
    """One pass over one file; gathers faults instead of raising them."""

    def __init__(self, file: Path, text: str, words: dict[str, str]) -> None:
        self.file = file
        self.words = words
        self.faults: list[tuple[int, str]] = []
        self._lines = _find_lines(text)

    def read(self, tables: Table) -> Configuration | None:
        """None when a fault makes a whole impossible; otherwise look at `faults`."""
        values: Table = {}
        hints = get_type_hints(Configuration, include_extras=True)
        sections = {each.encode_name: each.name for each in msgspec.structs.fields(Configuration)}
        for key, given in tables.items():
            if key not in sections:
                self._unknown((), key, sections)
            elif key == "connector":
                values["connectors"] = self._read_connectors(given)
            elif not isinstance(given, dict):
                self._fault((key,), "not_a_table", section=key)
            else:
                values[key] = self._read_struct(_without_none(hints[key]), given, (key,))
                self._check_section(key, given, values[key])
        if self.faults:
            return None
        configuration = Configuration(**values)
        folder = self.file.absolute().parent
        named = "data_dir" in tables.get("node", {})
        data_dir = folder / configuration.node.data_dir if named else default_data_dir(folder)
        return msgspec.structs.replace(
            configuration, node=msgspec.structs.replace(configuration.node, data_dir=data_dir)
        )

    def _check_section(self, key: str, given: Table, read: Any) -> None:
        """What keys of a section mean together."""
        if key == "notices" and ("account" in given) != ("sms_sender" in given):
            self._fault((key,), "notices_pair")
        if key != "mail" or read is None:
            return
        if read_email(read.sender) is None:
            self._fault((key, "sender"), "mail_sender", given=read.sender)
        if ("user" in given) != ("password" in given):
            self._fault((key,), "mail_pair")
        elif "user" in given and read.tls == "none" and read.host not in HERE:
            self._fault((key, "tls"), "mail_clear")

    def _read_connectors(self, given: object) -> tuple[Any, ...]:
        if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
            self._fault(("connector",), "not_a_list", section="connector")
            return ()
        connectors = []
        names: set[str] = set()
        for number, table in enumerate(given):
            place = ("connector", str(number))
            kind = table.get("kind", "smpp")
            if kind not in CONNECTOR_KINDS:
                self._wrong((*place, "kind"), kind, configuration_words.one_of(CONNECTOR_KINDS))
                continue
            connectors.append(self._read_struct(CONNECTOR_KINDS[kind], {"kind": kind, **table}, place))
            if "outbind_listen" in table and not {"outbind_system_id", "outbind_password"} <= set(table):
                self._fault((*place, "outbind_listen"), "outbind_open")
            if not table.get("tls"):
                for key in sorted(set(table) & set(TLS_KEYS)):
                    self._fault((*place, key), "tls_off", key=key)
            elif ("tls_certificate" in table) != ("tls_key" in table):
                self._fault(place, "tls_pair")
            name = table.get("name")
            if isinstance(name, str) and name in names:
                self._fault((*place, "name"), "twice", name=name)
            names.add(str(name))
        return tuple(connectors)

    def _read_struct(self, struct: Any, table: Table, place: Place) -> Any:
        """The struct, or None after faults; each key by itself, so that one fault hides no other."""
        hints = get_type_hints(struct, include_extras=True)
        values: Table = {}
        for key, given in table.items():
            if key in hints:
                values[key] = self._read_value(hints[key], given, (*place, key))
            else:
                self._unknown(place, key, hints)
        for each in msgspec.structs.fields(struct):
            if each.required and each.name not in table:
                self._fault(place, "missing", key=each.name, section=_section(place))
        return None if self.faults else struct(**values)

    def _read_value(self, hint: Any, given: object, place: Place) -> Any:
        plain = _without_none(hint)
        if plain is Secret:
            return self._read_secret(given, place)
        if plain is FileReference:
            return self._read_file_reference(given, place)
        if plain is Endpoint:
            return self._read_endpoint(given, place)
        if plain == Addresses:
            return self._read_addresses(given, place)
        if place[-1] == "tlvs":
            return self._read_tlvs(plain, given, place)
        if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
            if isinstance(given, dict):
                return self._read_struct(plain, given, place)
            self._fault(place, "not_a_table", section=".".join(place))
            return None
        try:
            if plain is Path:
                path = Path(msgspec.convert(given, type=str))
                return self.file.absolute().parent / path if place[0] in ("connector", "mail", "webhooks") else path
            return msgspec.convert(given, type=plain)
        except msgspec.ValidationError:
            self._wrong(place, given, configuration_words.expected(plain))
            return None

    def _read_tlvs(self, hint: Any, given: object, place: Place) -> Any:
        try:
            parse_declared(declared := msgspec.convert(given, type=hint))
        except msgspec.ValidationError:
            self._wrong(place, given, configuration_words.expected(hint))
            return None
        except BadDeclaration as fault:
            self._fault(place, fault.word, **fault.facts)
            return None
        return declared

    def _read_addresses(self, given: object, place: Place) -> Addresses:
        words = [each.strip() for each in given.split(",")] if isinstance(given, str) else given
        if not isinstance(words, list) or not words:
            words = [given]  # refused as what it is
        found = [self._read_endpoint(each, place) for each in words]
        return tuple(each for each in found if each is not None)

    def _read_endpoint(self, given: object, place: Place) -> Endpoint | None:
        match = re.fullmatch(
            r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:\[\]]+)):(\d{1,5})", given if isinstance(given, str) else ""
        )
        lowest = 1 if place[-1] == "address" else 0  # port 0 means "any free one", which only a listener can take
        if match is None or not lowest <= int(match[3]) <= HIGHEST_PORT:
            self._wrong(place, given, {"en": '"host:port"', "fr": "« hôte:port »"})
            return None
        return Endpoint(match[1] or match[2], int(match[3]))

    def _read_secret(self, given: object, place: Place) -> Secret | None:
        may_be_plain = place[-1] in ("dsn", "url")  # these often hold no secret, and the interface writes them plainly
        if isinstance(given, str) and may_be_plain:
            return self._checked_secret(given, place)
        if not isinstance(given, dict) or len(given) != 1 or not isinstance(next(iter(given.values())), str):
            self._fault(place, "secret_form", key=place[-1])
            return None
        reference, value = next(iter(given.items()))
        if reference not in SECRET_REFERENCES:
            self._unknown(place, reference, SECRET_REFERENCES)
            return None
        if reference == "value":
            return self._checked_secret(value, place)
        file = self._secret_file(reference, value, place)
        if file is None:
            return None
        try:
            return self._checked_secret(file.read_text(encoding="utf-8").rstrip("\r\n"), place)
        except (OSError, UnicodeDecodeError) as fault:
            why = fault.strerror if isinstance(fault, OSError) else "UTF-8"
            self._fault(place, "secret_unreadable", key=place[-1], file=file, why=why)
            return None

    def _read_file_reference(self, given: object, place: Place) -> FileReference | None:
        if not isinstance(given, dict) or len(given) != 1 or not isinstance(next(iter(given.values())), str):
            self._fault(place, "file_form", key=place[-1])
            return None
        reference, value = next(iter(given.items()))
        if reference not in FILE_REFERENCES:
            self._unknown(place, reference, FILE_REFERENCES)
            return None
        file = self._secret_file(reference, value, place)
        if file is None:
            return None
        try:
            file.read_bytes()
        except OSError as fault:
            self._fault(place, "secret_unreadable", key=place[-1], file=file, why=fault.strerror)
            return None
        return FileReference(file)

    def _secret_file(self, reference: str, value: str, place: Place) -> Path | None:
        if reference == "file":
            return self.file.absolute().parent / value
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if not folder:
            self._fault(place, "no_credentials", name=value)
            return None
        return Path(folder) / value

    def _checked_secret(self, word: str, place: Place) -> Secret | None:
        key = place[-1]
        if not word:
            self._fault(place, "secret_empty", key=key)
        elif key == "password" and place[0] == "connector" and len(word.encode()) > PASSWORD_LIMIT:
            self._fault(place, "secret_long", key=key, limit=PASSWORD_LIMIT)
        elif key == "dsn" and not word.startswith(("postgresql://", "postgres://")):
            self._fault(place, "wrong_scheme", key=key, scheme="postgresql://")
        elif key == "url" and not word.startswith(("redis://", "rediss://", "unix://")):
            self._fault(place, "wrong_scheme", key=key, scheme="redis://")
        else:
            return Secret(word)
        return None

    def _unknown(self, place: Place, key: str, known: Iterable[str]) -> None:
        near = difflib.get_close_matches(key, list(known), n=1, cutoff=SUGGESTION_LIKENESS)
        if near:
            self._fault((*place, key), "unknown_near", key=key, section=_section(place), near=near[0])
        else:
            known_keys = ", ".join(sorted(known))
            self._fault((*place, key), "unknown", key=key, section=_section(place), known=known_keys)

    def _wrong(self, place: Place, given: object, expected: dict[Language, str]) -> None:
        shown = configuration_words.as_toml(given)
        self._fault(place, "wrong", key=place[-1], given=shown, expected=expected[_language(self.words)])

    def _fault(self, place: Place, word: str, **facts: object) -> None:
        line = self._line(place)
        self.faults.append((line, f"{self.file}:{line}: {self.words[word].format(**facts)}"))

    def _line(self, place: Place) -> int:
        """The line of the place, or of the nearest thing around it that has one."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)


def _language(words: dict[str, str]) -> Language:
    return "fr" if words is configuration_words.WORDS["fr"] else "en"


def _section(place: Place) -> str:
    return f"[[{place[0]}]]" if place[:1] == ("connector",) else f"[{'.'.join(place)}]" if place else "file"


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        kept = [each for each in get_args(hint) if each is not type(None)]
        return kept[0] if len(kept) == 1 else hint
    return hint


def _find_lines(text: str) -> dict[Place, int]:
    """Where tables and keys stand (tomllib does not tell). Good enough for messages: bare and dotted keys."""
    lines: dict[Place, int] = {(): 1}
    counts: dict[str, int] = {}
    table: Place = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*(\[\[?)\s*([^\]]+?)\s*\]", line):
            table = _parts(header[2])
            if header[1] == "[[":
                table = (*table, str(counts.setdefault(header[2], 0)))
                counts[header[2]] += 1
            lines.setdefault(table, number)
        elif key := re.match(r"\s*([A-Za-z0-9_.\"' -]+?)\s*=", line):
            lines.setdefault((*table, *_parts(key[1])), number)
    return lines


def _parts(dotted: str) -> Place:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
