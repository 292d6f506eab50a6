"""Notices in words: templates, which are data (templates/*.toml), and what fills their gaps.

A gap is a name in braces and nothing else: no expression, no attribute, no code. Every gap is checked against the
facts of its event when the templates are read. Values are one line each, escaped in HTML, cut in an SMS.
What must not enter: letters (letters.py), sending, who is told.
"""

from __future__ import annotations

import datetime
import functools
import html
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from gateway.notice_events import CHOICES, NOTICE_EVENTS, FactKind, clean_text
from gateway.storage.notices import StoredNotice
from telecom.money import format_credits
from telecom.transliteration import to_gsm_mode

Language = Literal["fr", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("fr", "en")
FOLDER: Final = Path(__file__).parent / "templates"
FIELDS: Final = ("subject", "text", "sms")
HOUSE: Final = "house"
DIGEST_GAPS: Final = frozenset({"count", "last", "lines"})
SUBJECT_CHARACTERS: Final = 150  # chosen: two folded lines of RFC 5322
SMS_VALUE_CHARACTERS: Final = 60  # chosen: so that a notice is one part, or two
SMS_CHARACTERS: Final = 300  # chosen: two parts
_GAP: Final = re.compile(r"\{([^{}]*)\}")


class TemplateFault(Exception):
    """Templates that cannot be used: our own fault; every fault is named."""


class Rendered(msgspec.Struct, frozen=True):
    """A notice, or a digest of several, in words."""

    subject: str
    text: str
    html: str
    sms: str


@functools.cache
def load_templates() -> Mapping[Language, Mapping[str, Any]]:
    """All templates, checked. Raises TemplateFault."""
    found: dict[Language, Mapping[str, Any]] = {}
    faults: list[str] = []
    for language in LANGUAGES:
        found[language] = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
        faults += [f"{language}.toml: {fault}" for fault in faults_of(found[language])]
    if faults:
        raise TemplateFault("; ".join(faults))
    return found


def faults_of(templates: Mapping[str, Any]) -> list[str]:
    """What is missing, unknown or invented in the templates of one language."""
    gaps = {name: frozenset(row.facts) | {HOUSE} for name, row in NOTICE_EVENTS.items()}
    gaps |= {"digest": DIGEST_GAPS | {HOUSE}, "test": frozenset({HOUSE})}
    fields: dict[str, tuple[str, ...]] = {**dict.fromkeys(gaps, FIELDS), "frame": ("greeting", "footer"), **CHOICES}
    gaps["frame"] = frozenset({HOUSE})
    faults = [f"{name} is in no table" for name in templates.keys() - fields.keys()]
    for name, wanted in fields.items():
        given = templates.get(name, {})
        if set(given) != set(wanted) or not all(isinstance(each, str) and each.strip() for each in given.values()):
            faults.append(f"{name} has {', '.join(wanted)}, each with words")
            continue
        for field, words in given.items():
            unknown = set(_GAP.findall(words)) - gaps.get(name, frozenset())
            faults += [f"{name}, {field}: there is no fact {{{gap}}}" for gap in sorted(unknown)]
            if re.search(r"[{}]", _GAP.sub("", words)):
                faults.append(f"{name}, {field}: a brace stands alone")
    return faults


def render(notices: Sequence[StoredNotice], count: int, language: Language, house: str) -> Rendered:
    """One notice in words; or several of one event as a digest, count of which are meant."""
    templates = load_templates()[language]
    if count == 1:
        (told,) = notices
        shown = {name: _show(told, name, language) for name in told.facts} | {HOUSE: house}
        return _write(templates, templates[told.event], shown, {})
    lines = []
    for told in notices:
        shown = {name: _show(told, name, language) for name in told.facts} | {HOUSE: house}
        lines.append(f"{_show_time(told.told_at_ms, language)} - {fill(templates[told.event]['subject'], shown)}")
    if count > len(lines):
        lines.append("...")
    last = lines[len(notices) - 1].partition(" - ")[2]
    return _write(templates, templates["digest"], {"count": str(count), "last": last, HOUSE: house}, {"lines": lines})


def render_test(language: Language, house: str) -> Rendered:
    """What `passerelle mail test` sends."""
    templates = load_templates()[language]
    return _write(templates, templates["test"], {HOUSE: house}, {})


def _write(
    templates: Mapping[str, Any], template: Mapping[str, str], shown: Mapping[str, str], lists: Mapping[str, list[str]]
) -> Rendered:
    """lists: gaps that become lines of their own."""
    frame = templates["frame"]
    body = f"{frame['greeting']}\n\n{template['text'].strip()}\n\n-- \n{frame['footer'].strip()}"
    for name, lines in lists.items():
        body = body.replace(f"{{{name}}}", "\n".join(line.replace("{", "(").replace("}", ")") for line in lines))
    text = fill(body, shown)
    short = {name: value[:SMS_VALUE_CHARACTERS] for name, value in shown.items()}
    sms = " ".join(fill(template["sms"].strip(), short).split())
    return Rendered(
        clean_text(fill(template["subject"], shown))[:SUBJECT_CHARACTERS],
        text + "\n",
        _as_html(text),
        to_gsm_mode(sms[:SMS_CHARACTERS]).text,
    )


def fill(words: str, values: Mapping[str, str]) -> str:
    """Words with their gaps filled; a line whose gaps are all empty is left out."""
    lines = []
    for line in words.split("\n"):
        gaps = _GAP.findall(line)
        if gaps and not any(values[gap] for gap in gaps):
            continue
        lines.append(_GAP.sub(lambda gap: values[gap[1]], line))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def _as_html(text: str) -> str:
    """The same text as HTML: paragraphs and line ends, every character of it escaped."""
    paragraphs = (html.escape(each).replace("\n", "<br>\n") for each in text.replace("-- \n", "").split("\n\n"))
    return "<!doctype html>\n<html><body>\n" + "\n".join(f"<p>{each}</p>" for each in paragraphs) + "\n</body></html>\n"


def _show(told: StoredNotice, name: str, language: Language) -> str:
    """A fact as people read it."""
    given, kind = told.facts[name], NOTICE_EVENTS[told.event].facts[name]
    if kind in CHOICES:
        word: str = load_templates()[language][kind][given]
        return word
    return _SHOWN[kind](given, language) if kind in _SHOWN else clean_text(str(given))


def _show_credits(micros: str | int, language: Language) -> str:
    whole, _, rest = format_credits(int(micros)).partition(".")
    grouped = f"{int(whole):,}".replace(",", "\N{NO-BREAK SPACE}" if language == "fr" else ",")
    sign = "-" if whole.startswith("-") and not grouped.startswith("-") else ""  # of less than one credit
    return f"{sign}{grouped}" + (f"{',' if language == 'fr' else '.'}{rest}" if rest else "")


def _show_time(unix_ms: str | int, language: Language) -> str:
    moment = datetime.datetime.fromtimestamp(int(unix_ms) / 1000, datetime.UTC)
    return moment.strftime("%d/%m/%Y %H:%M UTC" if language == "fr" else "%Y-%m-%d %H:%M UTC")


_SHOWN: Final[dict[FactKind, Any]] = {"credits": _show_credits, "time": _show_time}
