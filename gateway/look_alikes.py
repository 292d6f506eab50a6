"""Whether a sender name looks like a protected one: a bank's, an operator's, an authority's.

Two names look alike when they have one skeleton: without case, accents and separators, digits and letters of other
scripts as the Latin letters they imitate, doubled letters once. Source: Unicode TS 39, section 4 (skeletons), narrowed
to what a sender name can hold. Pure; it takes a millisecond for hundreds of protected names, so it is for people.
What must not enter: which names are protected (rows: storage.sender_requests), who may decide otherwise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

import msgspec

NEAR_FROM: Final = 6  # chosen: of skeletons this long one letter may differ; in shorter ones it makes another word

# What imitates which letter, of Cyrillic, Greek and Latin: capitals as they stand, small letters after case folding.
_CAPITALS: Final = str.maketrans("АВЕКМНОРСТУХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEKMHOPCTYXIJSABEZHIKMNOPTYX")
_SMALL: Final = str.maketrans("авекмнорстухіјѕԁԛԝьԍαβεηικνορτυχωϲϳøłđıæœ", "abekmhopctyxijsdqwbgabenikvoptuxwcjoldiao")
_DIGITS: Final = str.maketrans("i1|!02345678@9$", "llllozeasgtbags")  # i, l, 1 and | are one
_WORD: Final = re.compile(r"[^\W_]+")
_SEPARATED: Final = re.compile(r"[^a-z0-9]+")
_DOUBLED: Final = re.compile(r"(.)\1+")


class ProtectedName(msgspec.Struct, frozen=True):
    """A name that others must not imitate, in a country (ISO 3166 alpha-2). whole_only: it is an ordinary word, which
    may stand among others (FREE DELIVERY); else no name may have it as a word (ORANGE-INFO).
    """

    name: str
    country: str
    whole_only: bool = False


def skeleton(name: str) -> str:
    """What is left of a name for an eye that reads in a hurry; empty of one without letters and digits."""
    letters = unicodedata.normalize("NFKD", name).translate(_CAPITALS).replace("rn", "m").casefold()
    plain = _SEPARATED.sub("", letters.translate(_SMALL).translate(_DIGITS)).replace("vv", "w")
    return _DOUBLED.sub(r"\1", plain)


def resembled(name: str, protected: Iterable[ProtectedName]) -> ProtectedName | None:
    """The protected name that `name` is, or looks like; the plainest resemblance first. None: none."""
    whole = skeleton(name)
    words = {skeleton(word) for word in _WORD.findall(unicodedata.normalize("NFKC", name))} if whole else set()
    near: ProtectedName | None = None
    for each in protected:
        original = skeleton(each.name)
        if not original or not whole:
            continue
        if whole == original:
            return each
        if near is None and (
            (original in words and not each.whole_only)
            or (min(len(whole), len(original)) >= NEAR_FROM and _is_one_edit_away(whole, original))
        ):
            near = each
    return near


def _is_one_edit_away(name: str, original: str) -> bool:
    """One letter more, less, other, or two exchanged; not the first, by which people tell words apart."""
    if name[0] != original[0] or abs(len(name) - len(original)) > 1:
        return False
    at = next((place for place, (a, b) in enumerate(zip(name, original, strict=False)) if a != b), None)
    if at is None:
        return True
    rest, of_original = name[at + 1 :], original[at + 1 :]
    if len(name) == len(original):
        exchanged = rest[:1] == original[at] and of_original[:1] == name[at] and rest[1:] == of_original[1:]
        return rest == of_original or exchanged
    return rest == original[at:] if len(name) > len(original) else name[at:] == of_original
