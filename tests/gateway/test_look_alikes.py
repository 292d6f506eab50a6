"""Which names look like protected ones: true friends that are caught, false ones that are left in peace.

What must not enter: the pack of protected names (tests/gateway/storage), requests.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.look_alikes import ProtectedName, resembled, skeleton

PROTECTED = (
    ProtectedName("ORANGE", "CI"),
    ProtectedName("Orange Money", "CI"),
    ProtectedName("MTN", "BJ"),
    ProtectedName("MOOV MONEY", "BJ"),
    ProtectedName("ECOBANK", "TG"),
    ProtectedName("Banque Atlantique", "BJ"),
    ProtectedName("Société Générale", "FR"),
    ProtectedName("WAVE", "SN", whole_only=True),
    ProtectedName("FREE", "FR", whole_only=True),
    ProtectedName("POLICE", "FR", whole_only=True),
    ProtectedName("SENELEC", "SN"),
)


@pytest.mark.parametrize(
    ("name", "original"),
    [
        ("ORANGE MONEY", "Orange Money"),
        ("0RANGE M0NEY", "Orange Money"),
        ("OrangeMoney", "Orange Money"),
        ("orange_money", "Orange Money"),
        ("ORANGE-M0NEY", "Orange Money"),
        ("Öràngé Monéy", "Orange Money"),
        ("ОRANGE", "ORANGE"),  # its first letter is Cyrillic
        ("ΟRΑΝGΕ", "ORANGE"),  # four letters are Greek
        ("ORANGEE", "ORANGE"),
        ("ORRANGE", "ORANGE"),
        ("ORENGE", "ORANGE"),
        ("ORNAGE", "ORANGE"),
        ("ORAGE", None),  # thunderstorm: five letters are too few to differ in one
        ("ORANGES", "ORANGE"),
        ("ORANGE-INFO", "ORANGE"),
        ("INFO MTN", "MTN"),
        ("M.T.N", "MTN"),
        ("MTN.", "MTN"),
        ("rntn", "MTN"),
        ("M00V MONEY", "MOOV MONEY"),
        ("MOV MONEY", "MOOV MONEY"),
        ("MOOVM0NEY1", "MOOV MONEY"),
        ("EC0BANK", "ECOBANK"),
        ("EC08ANK", "ECOBANK"),
        ("ECOBANCK", "ECOBANK"),
        ("ECOBNAK", "ECOBANK"),
        ("ECOBANK CI", "ECOBANK"),
        ("SOCIETEGENERALE", "Société Générale"),
        ("VVAVE", "WAVE"),
        ("W4VE", "WAVE"),
        ("FR33", "FREE"),
        ("P0L1CE", "POLICE"),
        ("POIICE", "POLICE"),
        ("5ENELEC", "SENELEC"),
    ],
)
def test_what_imitates_a_protected_name_is_caught(name: str, original: str | None) -> None:
    found = resembled(name, PROTECTED)
    assert (found.name if found else None) == original


@pytest.mark.parametrize(
    "name",
    ["ACME", "GRANGE", "ORANGERIE", "ARRANGE", "MOVE", "MTV", "MAN", "WAVES", "FREE WIFI", "NEW WAVE", "POLICIES"]
    + [
        "MONEY",
        "ECOLE",
        "ECOBAT",
        "BANK",
        "BANQUE",
        "SALON BELLA",
        "PHARMACIE",
        "KFC",
        "JUMIA",
        "GOZEM",
        "SENEGAL",
        "A",
    ]
    + ["COLLEGE", "CODE", "INFO", "Clinique", "UNIV-LOME", "2020", "...", "", " "],
)
def test_ordinary_names_are_left_in_peace(name: str) -> None:
    assert resembled(name, PROTECTED) is None


def test_the_name_itself_comes_before_one_that_is_near() -> None:
    both = (ProtectedName("ORANGEE MONEYS", "CI"), ProtectedName("ORANGE MONEY", "SN"))
    assert resembled("0RANGE M0NEY", both) == both[1]


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_has_a_skeleton_and_resembles_itself(name: str, other: str) -> None:
    found = resembled(name, [ProtectedName(name, "BJ"), ProtectedName(other, "BJ")])
    assert (found is not None) == bool(skeleton(name))
