"""GSM 7-bit alphabets: known answers of 3GPP TS 23.038, round trips, and every national table of its annex A.

What must not enter: part limits (test_parts.py) and whole TPDUs (test_tpdu.py).
"""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telecom.alphabets import (
    DEFAULT_ALPHABET,
    ESCAPE,
    EXTENSION,
    REPLACEMENT,
    NotInAlphabet,
    decode_gsm7,
    encode_gsm7,
    fill_bits_after,
    has_locking_table,
    has_single_table,
    header_septets,
    offending_characters,
    pack_counted_by_octets,
    pack_septets,
    septet_length,
    unpack_counted_by_octets,
    unpack_septets,
)
from telecom.national_tables import LANGUAGES, LOCKING_SHIFT, SINGLE_SHIFT

GSM_TEXT = st.text(alphabet=sorted(set(DEFAULT_ALPHABET) - {"\x1b"} | set(EXTENSION.values())), max_size=200)
SEPTETS = st.binary(max_size=200).map(lambda octets: bytes(octet & 0x7F for octet in octets))
TABLES = [(locking, single) for locking in (0, *LOCKING_SHIFT) for single in (0, *SINGLE_SHIFT)]

# National Language Identifier to the first code point of its script's block in Unicode
SCRIPTS = {4: 0x0980, 5: 0x0A80, 6: 0x0900, 7: 0x0C80, 8: 0x0D00, 9: 0x0B00, 10: 0x0A00, 11: 0x0B80, 12: 0x0C00}


def test_default_alphabet_has_128_different_characters() -> None:
    assert len(DEFAULT_ALPHABET) == len(set(DEFAULT_ALPHABET)) == 128


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("@£$¥èéùìòÇ\nØø\rÅå", bytes(range(16))),  # 6.2.1, first column
        ("Δ_ΦΓΛΩΠΨΣΘΞ", bytes(range(0x10, 0x1B))),
        ("äöñüà", bytes(range(0x7B, 0x80))),
        ("€[]", bytes.fromhex("1b65 1b3c 1b3e")),  # 6.2.1.1
        ("{}\\~|^\f", bytes.fromhex("1b28 1b29 1b2f 1b3d 1b40 1b14 1b0a")),
    ],
)
def test_known_characters_have_their_septets(text: str, octets: bytes) -> None:
    assert encode_gsm7(text) == octets
    assert decode_gsm7(octets) == text


@pytest.mark.parametrize("letter", list("àäæéèöùüÇ"))
def test_letters_the_defaults_name_are_in_the_alphabet(letter: str) -> None:
    assert septet_length(letter) == 1


@pytest.mark.parametrize("letter", list("çâêëîïôœûÀÈ«»‘’…–"))
def test_letters_the_defaults_exclude_are_not(letter: str) -> None:
    assert encode_gsm7(letter) == NotInAlphabet((letter,))


def test_offending_characters_come_once_in_order() -> None:
    assert encode_gsm7("ça, ô ça ô 😀") == NotInAlphabet(("ç", "ô", "😀"))
    assert offending_characters("plain") == ()


def test_escape_without_a_character_shows_the_default_one() -> None:
    """6.2.1.1: a receiver shows the character of the default alphabet where the extension has none."""
    assert decode_gsm7(b"\x1bA\x1b\x7f") == "Aà"


def test_second_escape_and_lone_last_escape_show_as_space() -> None:
    assert decode_gsm7(b"a\x1b\x1bb\x1b") == "a b "


def test_octet_beyond_seven_bits_shows_as_replacement() -> None:
    assert decode_gsm7(b"a\xe9b") == f"a{REPLACEMENT}b"
    assert decode_gsm7(b"\x1b\xe9b") == f"{REPLACEMENT}b"


@given(GSM_TEXT)
@settings(max_examples=200)
def test_text_survives_septets(text: str) -> None:
    septets = encode_gsm7(text)
    assert isinstance(septets, bytes)
    assert decode_gsm7(septets) == text
    assert septet_length(text) == len(septets)


@given(st.text(max_size=60), st.sampled_from(TABLES))
@settings(max_examples=300)
def test_any_text_is_encoded_or_its_offending_characters_are_named(text: str, tables: tuple[int, int]) -> None:
    locking, single = tables
    septets = encode_gsm7(text, locking=locking, single=single)
    offending = offending_characters(text, locking=locking, single=single)
    if isinstance(septets, NotInAlphabet):
        assert septets.offending == offending != ()
    else:
        assert decode_gsm7(septets, locking=locking, single=single) == text
        assert not offending


@given(st.binary(max_size=60), st.integers(0, 20), st.integers(0, 20))
@settings(max_examples=200)
def test_any_octets_give_a_text_whatever_the_identifiers(octets: bytes, locking: int, single: int) -> None:
    assert isinstance(decode_gsm7(octets, locking=locking, single=single), str)


# --- national tables ---


@pytest.mark.parametrize(("locking", "single"), TABLES)
def test_every_character_of_every_table_survives(locking: int, single: int) -> None:
    alphabet = {
        decode_gsm7(bytes((septet,)), locking=locking, single=single) for septet in range(128) if septet != ESCAPE
    }
    alphabet |= {
        decode_gsm7(bytes((ESCAPE, septet)), locking=locking, single=single)
        for septet in range(128)
        if septet != ESCAPE
    }
    text = "".join(sorted(alphabet - {REPLACEMENT}))
    septets = encode_gsm7(text, locking=locking, single=single)
    assert isinstance(septets, bytes)
    assert decode_gsm7(septets, locking=locking, single=single) == text


def test_every_language_has_tables_except_spanish_that_only_shifts() -> None:
    assert set(SINGLE_SHIFT) == set(LANGUAGES) == set(range(1, 14))
    assert set(LANGUAGES) - set(LOCKING_SHIFT) == {2}
    assert has_single_table(2)
    assert not has_locking_table(2)
    assert not has_single_table(14)


@pytest.mark.parametrize("language", sorted(LOCKING_SHIFT))
def test_locking_table_has_128_cells_with_the_escape_in_its_place(language: int) -> None:
    cells = LOCKING_SHIFT[language].split()
    assert len(cells) == 128
    assert [position for position, cell in enumerate(cells) if cell == "...."] == [ESCAPE]
    assigned = [cell for cell in cells if cell[0] not in "-."]
    assert len(assigned) == len(set(assigned))
    assert cells[0x0A] == "000A"
    assert cells[0x0D] == "000D"
    assert cells[0x20] == "0020"
    assert [chr(int(cell, 16)) for cell in cells[0x30:0x3A]] == list("0123456789")
    assert chr(int(cells[0x2C], 16)) == ","


@pytest.mark.parametrize(("language", "block"), sorted(SCRIPTS.items()))
def test_letters_of_an_indian_table_belong_to_its_script(language: int, block: int) -> None:
    letters = [int(cell, 16) for cell in LOCKING_SHIFT[language].split() if cell[0] not in "-."]
    assert all(code_point < 0x80 or block <= code_point < block + 0x80 for code_point in letters)
    assert all(unicodedata.category(chr(code_point)) != "Cn" for code_point in letters)
    ours = [code_point for code_point in letters if code_point >= 0x80]
    assert sum(after < before for before, after in zip(ours, ours[1:], strict=False)) <= 3, "the order of the script"


@pytest.mark.parametrize("language", sorted(SINGLE_SHIFT))
def test_every_single_shift_table_keeps_the_signs_of_the_default_extension(language: int) -> None:
    shifted = dict(cell.split(":") for cell in SINGLE_SHIFT[language].split())
    kept = {0x28: "{", 0x29: "}", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x65: "€"}
    if language in (4, 6, 8, 9, 10, 11, 12, 13):  # these put letters of theirs where others keep the backslash
        kept = {0x28: "{", 0x29: "}", 0x65: "€"}
    assert {septet: chr(int(shifted[f"{septet:02X}"], 16)) for septet in kept} == kept


@pytest.mark.parametrize(
    ("text", "locking", "single", "septets"),
    [
        ("ğşıİĞŞç", 0, 1, "1b67 1b73 1b69 1b49 1b47 1b53 1b63"),  # A.2.1
        ("ıŞşçİ€ğĞ", 1, 0, "07 1c 1d 60 40 04 0c 0b"),  # A.3.1
        ("çÁÍÓÚáíóú", 0, 2, "1b09 1b41 1b49 1b4f 1b55 1b61 1b69 1b6f 1b75"),  # A.2.2
        ("êÔãõâÀ∞ª", 3, 0, "04 0b 7b 7c 1d 14 15 12"),  # A.3.3
        ("êÔãõâ", 0, 3, "1b05 1b0b 1b7b 1b7c 1b7f"),  # A.2.3
        ("नमस्ते", 6, 0, "2f 42 4c 5f 27 59"),  # A.3.6
        ("১২৩", 0, 4, "1b1a 1b1c 1b1d"),  # A.2.4
        ("ا ب", 13, 0, "00 20 02"),  # A.3.13
    ],
)
def test_known_national_characters(text: str, locking: int, single: int, septets: str) -> None:
    assert encode_gsm7(text, locking=locking, single=single) == bytes.fromhex(septets)


def test_the_default_table_wins_over_the_shift_table() -> None:
    """The euro sign of the Turkish locking table costs one septet, in the default one two."""
    assert septet_length("€", locking=1, single=1) == 1
    assert septet_length("€", single=1) == 2


def test_a_table_the_annex_lacks_is_the_callers_fault() -> None:
    with pytest.raises(KeyError):
        encode_gsm7("a", locking=2)


# --- packing ---


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        ("hellohello", "e8329bfd4697d9ec37"),  # 6.1.2.1.1 spelled out
        ("1234567", "31d98c56b3dd00"),
        ("12345678", "31d98c56b3dd70"),
        ("@", "00"),
        ("", ""),
    ],
)
def test_known_packings(text: str, packed: str) -> None:
    assert pack_septets(text.replace("@", "\0").encode()).hex() == packed


def test_ussd_packing_fills_seven_spare_bits_with_carriage_return() -> None:
    """6.1.2.3.1: seven characters, then a carriage return; a final one on the boundary is doubled."""
    assert pack_counted_by_octets(b"1234567").hex() == "31d98c56b3dd1a"
    assert unpack_counted_by_octets(bytes.fromhex("31d98c56b3dd1a")) == b"1234567"
    assert len(pack_counted_by_octets(b"1234567\r")) == 8
    assert unpack_counted_by_octets(pack_counted_by_octets(b"1234567\r")) == b"1234567\r\r"


@given(SEPTETS, st.integers(0, 6))
@settings(max_examples=200)
def test_septets_survive_packing_behind_any_fill_bits(septets: bytes, fill_bits: int) -> None:
    packed = pack_septets(septets, fill_bits)
    assert unpack_septets(packed, len(septets), fill_bits) == septets
    assert len(packed) == (7 * len(septets) + fill_bits + 7) // 8


@given(SEPTETS)
@settings(max_examples=200)
def test_septets_survive_where_only_octets_are_counted(septets: bytes) -> None:
    back = unpack_counted_by_octets(pack_counted_by_octets(septets))
    doubled = len(septets) % 8 == 0 and septets.endswith(b"\r")
    assert back == (septets + b"\r" if doubled else septets) or (
        len(septets) % 8 == 1 and septets.endswith(b"\r\r") and back == septets
    )


def test_unpacking_more_than_there_is_is_a_fault() -> None:
    with pytest.raises(ValueError, match="hold less"):
        unpack_septets(b"\0", 2)


def test_header_takes_whole_septets() -> None:
    """3GPP TS 23.040, 9.2.3.24: the text after a header starts on a septet boundary."""
    assert [(header_septets(octets), fill_bits_after(octets)) for octets in (0, 4, 6, 7, 9, 12)] == [
        (0, 0),
        (5, 3),
        (7, 1),
        (8, 0),
        (11, 5),
        (14, 2),
    ]
