"""Templates against the table of events, and what values can do to a letter: nothing.

Source: RFC 2047, RFC 5322. What must not enter: servers, rows.
"""

from __future__ import annotations

import email.policy
from email.headerregistry import Address
from typing import Any

import pytest

from gateway.notice_events import CHOICES, NOTICE_EVENTS
from gateway.notices.addresses import read_email
from gateway.notices.letters import message_id_of, write_letter
from gateway.notices.wording import LANGUAGES, Language, Rendered, faults_of, load_templates, render
from gateway.storage.notices import StoredNotice
from telecom.alphabets import offending_characters, septet_length
from tests.mail_server import read_letter

AT_MS = 1_795_290_000_000
SHORT: dict[str, str | int] = {"text": "Société", "number": 1234, "credits": 1_234_500_000, "time": AT_MS}
SENDER = Address("Passerelle", addr_spec="passerelle@example.net")


def notice(event: str, **given: Any) -> StoredNotice:
    facts = {name: SHORT.get(kind) or CHOICES[kind][1] for name, kind in NOTICE_EVENTS[event].facts.items()}
    return StoredNotice(1, event, facts | given, AT_MS)


def letter(rendered: Rendered, language: Language = "fr") -> bytes:
    return write_letter(rendered, language, SENDER, "you@example.org", "<notice-1@example.net>", AT_MS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", NOTICE_EVENTS)
def test_every_event_is_told_in_both_languages(event: str, language: Language) -> None:
    words = render([notice(event)], 1, language, "Passerelle")

    assert "{" not in words.subject + words.text + words.sms
    assert not offending_characters(words.sms)
    assert septet_length(words.sms) <= 160  # type: ignore[operator]  # it has no offending character


@pytest.mark.parametrize(
    ("name", "field", "words", "fault"),
    [
        ("order.paid", "text", "{order.__class__}", "there is no fact {order.__class__}"),
        ("order.paid", "sms", "{balance}", "there is no fact {balance}"),
        ("order.paid", "subject", "", "order.paid has subject, text, sms, each with words"),
        ("order.paid", "subject", "{order", "a brace stands alone"),
        ("order.dreamt", "subject", "x", "order.dreamt is in no table"),
    ],
)
def test_templates_with_a_fault_are_refused(name: str, field: str, words: str, fault: str) -> None:
    templates = dict(load_templates()["fr"])
    templates[name] = {**templates.get(name, {}), field: words}

    assert any(fault in each for each in faults_of(templates))


def test_a_missing_event_is_a_fault() -> None:
    templates = {name: each for name, each in load_templates()["en"].items() if name != "bind.up"}

    assert faults_of(templates) == ["bind.up has subject, text, sms, each with words"]


def test_amounts_times_and_choices_are_written_as_the_language_does() -> None:
    french = render([notice("order.credited", balance=-500_000)], 1, "fr", "Passerelle")
    english = render([notice("order.credited", balance=-500_000)], 1, "en", "Passerelle")

    assert "1\N{NO-BREAK SPACE}234,5 crédits" in french.text
    assert "solde est maintenant de -0,5 crédits" in french.text
    assert "1,234.5 credits" in english.text
    assert "balance is now -0.5 credits" in english.text
    assert "21/11/2026 19:40 UTC" in render([notice("node.dead")], 1, "fr", "Passerelle").text
    assert "est suspendu" in render([notice("sender.decided", decision="suspended")], 1, "fr", "Passerelle").text


def test_a_line_without_its_fact_is_left_out() -> None:
    words = render([notice("sender.decided", reason="")], 1, "fr", "Passerelle")

    assert "Motif" not in words.text + words.html + words.sms


def test_accents_arrive() -> None:
    octets = letter(render([notice("sender.decided", sender="ÉTÉ", reason="pièce illisible œ")], 1, "fr", "Passerelle"))

    assert octets.isascii()
    read = read_letter(octets)
    assert read["Subject"] == "Nom d'expéditeur ÉTÉ : refusé"
    assert read["Auto-Submitted"] == "auto-generated"
    plain, page = read.get_body(("plain",)), read.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert "Votre nom d'expéditeur ÉTÉ est refusé.\n\nMotif : pièce illisible œ\n" in plain.get_content().replace(
        "\r\n", "\n"
    )
    assert "Motif : pièce illisible œ</p>" in page.get_content()


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\x0b", "\x85", "\u2028", "\0"])
def test_no_value_writes_a_header_or_a_tag(break_: str) -> None:
    hostile = f"x{break_}Bcc: all@example.net{break_}{break_}<script>{{house}}</script>"
    told = notice("sender.requested", sender=hostile, account="é" + hostile)
    read = read_letter(letter(render([told], 1, "fr", "Passerelle")))

    assert read["Bcc"] is None
    ours = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language"}
    assert set(read.keys()) == ours | {"MIME-Version", "Content-Type"}
    page = read.get_body(("html",))
    assert page is not None
    assert "<script>" not in page.get_content()
    assert "&lt;script&gt;{house}" in page.get_content(), "a value is no template"


def test_a_digest_names_what_it_stands_for() -> None:
    told = [notice("bind.down", connector=name) for name in ("a{0}", "b")]
    words = render(told, 70, "fr", "Passerelle")

    assert words.subject == "70 avis : Opérateur injoignable : b"
    assert "21/11/2026 19:40 UTC - Opérateur injoignable : a(0)\n" in words.text
    assert "injoignable : b\n..." in words.text


def test_a_letter_has_one_name_at_every_try_and_another_when_a_person_sends_it_again() -> None:
    assert message_id_of(7, 1, AT_MS, "p@example.net") == "<notice-7-1-1795290000000@example.net>"
    assert message_id_of(7, 2, AT_MS, "p@example.net") != message_id_of(7, 1, AT_MS, "p@example.net")
    long = render([notice("sender.requested", account="é" * 500)], 1, "fr", "Passerelle")
    assert len(long.subject) == 150
    policy = email.policy.SMTP
    assert all(len(line) <= 998 for line in letter(long).split(policy.linesep.encode())), "RFC 5322 2.1.1"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("you@Example.ORG", "you@example.org"),
        (" first.last+tag@mail.example.bj ", "first.last+tag@mail.example.bj"),
        ("moi@été.example", "moi@xn--t-9fab.example"),
        ("you@example", None),
        ("you@127.0.0.1", None),
        ("you@[127.0.0.1]", None),
        ("a b@example.org", None),
        ("a,b@example.org", None),
        ('"a"@example.org', None),
        ("<a@example.org>", None),
        ("a@example.org\r\nBcc: b@example.org", None),
        ("a\0@example.org", None),
        (".a@example.org", None),
        ("é@example.org", None),
        ("a" * 65 + "@example.org", None),
        ("a@" + "b" * 64 + ".org", None),
        ("a@-b.org", None),
        ("@example.org", None),
        ("", None),
    ],
)
def test_addresses(given: str, read: str | None) -> None:
    assert read_email(given) == read
