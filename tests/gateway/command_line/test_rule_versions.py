"""Versions of routes and rates by the command line: each edit is one, drafts are put in force, old ones come back.

What must not enter: what versions are in rows (storage/test_versions.py), judging (tests/gateway/versions).
"""

from __future__ import annotations

from pathlib import Path

from tests.gateway.command_line.conftest import Passerelle


def test_each_edit_is_a_version_and_an_old_one_comes_back(passerelle: Passerelle) -> None:
    for words in (
        ("route", "add", "--to", "*", "--connector", "carrier-a"),
        ("route", "add", "--to", "229", "--connector", "carrier-a", "--order", "200"),
        ("route", "disable", "1"),
    ):
        assert passerelle(*words).code == 0
    told = passerelle("route", "versions", "--json").json
    assert [each["version"] for each in told["versions"]] == [3, 2, 1]
    assert {each["made_by"] for each in told["versions"]} != {""}
    shown = passerelle("route", "diff", "1", "3")
    assert "changed: route 1: enabled yes -> no" in shown.out
    assert "1 added, 0 removed, 1 changed" in shown.out

    assert passerelle("route", "roll-back", "1", "--why", "too soon").code == 0
    (route,) = passerelle("route", "list", "--json").json
    assert (route["route_id"], route["enabled"]) == (1, True)
    newest = passerelle("route", "versions", "--limit", "1", "--json").json["versions"][0]
    assert (newest["version"], newest["why"], newest["equal_to"]) == (4, "too soon", 1)
    refused = passerelle("route", "roll-back", "9")
    assert (refused.code, "there is no version 9" in refused.err) == (1, True)
    refused = passerelle("route", "diff", "1", "draft:7")
    assert (refused.code, "there is no version or draft draft:7" in refused.err) == (1, True)


def test_a_card_becomes_a_draft_that_is_tried_out_put_in_force_and_written_again(
    passerelle: Passerelle, tmp_path: Path
) -> None:
    assert passerelle("route", "add", "--to", "*", "--connector", "carrier-a").code == 0
    assert passerelle("rate", "add", "--to", "33", "--credits", "2").code == 0
    card = tmp_path / "card.csv"
    card.write_text("Préfixe;Prix\n229;0,035\n*;1\n", encoding="cp1252")
    assert passerelle("rate", "import", str(card), "--preview").code == 0
    assert passerelle("rate", "versions", "--json").json["drafts"] == []
    made = passerelle("rate", "import", str(card), "--mode", "replace", "--json").json
    assert (made["rows"], made["added"], made["removed"]) == (2, 2, 1)
    draft = str(made["draft"])
    assert passerelle("rate", "dry-run", draft, "--json").json["messages"] == 0
    assert passerelle("rate", "activate", draft, "--json").json["version"] == 2
    assert passerelle("rate", "activate", draft).code == 1
    assert passerelle("rate", "export", "--lang", "fr").out.splitlines() == [
        "préfixe;prix;compte",
        "*;1;",
        "229;0,035;",
    ]
    assert passerelle("rate", "export", "--of", "1").out.splitlines()[1:] == ["33,2,"]


def test_a_card_with_faults_makes_no_draft_and_a_stale_draft_is_refused(passerelle: Passerelle, tmp_path: Path) -> None:
    card = tmp_path / "card.csv"
    card.write_text("prefix,price\nabc,1\n229,x\n229,1\n")
    refused = passerelle("rate", "import", str(card))
    assert refused.code == 1
    assert "2: 'abc' is no prefix" in refused.err
    assert "3: 'x' is no price" in refused.err
    card.write_text("prefix,price\n229,1\n")
    draft = str(passerelle("rate", "import", str(card), "--json").json["draft"])
    assert passerelle("rate", "add", "--to", "33", "--credits", "2").code == 0
    refused = passerelle("rate", "activate", draft)
    assert (refused.code, "another version came into force" in refused.err) == (1, True)


def test_doubts_are_to_be_seen_before_activation(passerelle: Passerelle, tmp_path: Path) -> None:
    assert passerelle("route", "add", "--to", "229", "--connector", "carrier-a", "--cost", "3").code == 0
    card = tmp_path / "card.csv"
    card.write_text("prefix,price\n229,1\n")
    draft = str(passerelle("rate", "import", str(card), "--json").json["draft"])
    refused = passerelle("rate", "activate", draft)
    assert (refused.code, "the price is below what the carrier takes" in refused.err) == (1, True)
    assert passerelle("rate", "activate", draft, "--despite-doubts").code == 0
