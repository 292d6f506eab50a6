"""From octets to typed models: fast where all is well, and every fault at once, with its place, where it is not.

msgspec decodes; only when it refuses does the walk below look at each value by itself (msgspec.inspect). A model may
add faults that concern several fields by a method `more_faults`.
What must not enter: what a field means (models_*.py), rules that need a database.
"""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from admin_api.languages import Words
from admin_api.problems import Fault, Problem

MOST_FAULTS: Final = 100  # chosen: faults that one answer tells
MISSING: Final = Words("this field is missing", "ce champ manque")
UNKNOWN: Final = Words("this field is unknown", "ce champ est inconnu")
NUL: Final = Words("a NUL character cannot be stored", "un caractère NUL ne peut être stocké")

Model = TypeVar("Model", bound=msgspec.Struct)
Place = tuple[str | int, ...]


def read_body(model: type[Model], octets: bytes) -> Model | Problem:
    """The body as its model, or every fault in it."""
    try:
        decoded: Model | Problem = _sound(_decoder(model).decode(octets), "body")
        return decoded
    except (msgspec.ValidationError, UnicodeDecodeError, RecursionError):
        pass
    except msgspec.DecodeError as fault:
        return Problem("not_json", Words(str(fault), str(fault)))
    try:
        given = msgspec.json.decode(octets)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        return Problem("not_json", Words(str(fault), str(fault)))
    faults = list(_first(find_faults(_info(model), given, ("body",))))
    return Problem("invalid_request", errors=faults or [Fault(("body",), "invalid", NOT_READ)])


def read_texts(model: type[Model], given: Mapping[str, str], part: str) -> Model | Problem:
    """The parameters of a query or a path as their model, or every fault in them."""
    try:
        converted: Model | Problem = _sound(msgspec.convert(dict(given), type=model, strict=False), part)
        return converted
    except msgspec.ValidationError:
        return Problem("invalid_request", errors=list(_first(find_faults(_info(model), dict(given), (part,), False))))


NOT_READ: Final = Words("this cannot be read", "ceci est illisible")


@functools.cache
def _decoder(model: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(model, strict=True)


@functools.cache
def _info(model: Hashable) -> inspect.Type:
    return inspect.type_info(model)


def _first(faults: Iterator[Fault]) -> Iterator[Fault]:
    for _, fault in zip(range(MOST_FAULTS), faults, strict=False):
        yield fault


def _sound(value: Any, part: str) -> Any:
    """The model, unless fields contradict each other."""
    more = getattr(value, "more_faults", None)
    if more is None:
        return value
    faults = [Fault((part, *fault.loc), fault.type, fault.msg) for fault in _first(more())]
    return Problem("invalid_request", errors=faults) if faults else value


def read_number(text: str, most: int) -> int | None:
    """The number of a row that a path names; None when it can be none."""
    if not text.isascii() or not text.isdecimal() or len(text) > len(str(most)):
        return None
    return number if (number := int(text)) <= most else None


# ---------------------------------------------------------------- the walk


def find_faults(info: inspect.Type, value: Any, loc: Place, strict: bool = True) -> Iterator[Fault]:
    """Every fault of a value against its type. strict False: texts of a query stand for numbers too."""
    if isinstance(info, inspect.Metadata):
        info = info.type
    if isinstance(info, inspect.UnionType):
        yield from _union_faults(info, value, loc, strict)
    elif isinstance(info, inspect.StructType):
        yield from _struct_faults(info, value, loc, strict)
    elif isinstance(info, inspect.ListType):
        yield from _list_faults(info, value, loc, strict)
    else:
        words = _leaf_fault(info, value, strict)
        if words is not None:
            yield Fault(loc, words[0], words[1])


def _struct_faults(info: inspect.StructType, value: Any, loc: Place, strict: bool) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield Fault(loc, "object_expected", Words("an object is expected", "un objet est attendu"))
        return
    known = {field.encode_name: field for field in info.fields}
    for name, field in known.items():
        if name in value:
            yield from find_faults(field.type, value[name], (*loc, name), strict)
        elif field.required:
            yield Fault((*loc, name), "missing", MISSING)
    if info.forbid_unknown_fields:
        for name in value:
            if name not in known:
                yield Fault((*loc, str(name)), "unknown", UNKNOWN)


def _list_faults(info: inspect.ListType, value: Any, loc: Place, strict: bool) -> Iterator[Fault]:
    if not isinstance(value, list):
        yield Fault(loc, "list_expected", Words("a list is expected", "une liste est attendue"))
        return
    low, high = info.min_length or 0, info.max_length
    if len(value) < low or (high is not None and len(value) > high):
        yield Fault(loc, "length", _between(low, high, Words("entries", "entrées")))
    for place, each in enumerate(value[: high or None]):
        yield from find_faults(info.item_type, each, (*loc, place), strict)


def _union_faults(info: inspect.UnionType, value: Any, loc: Place, strict: bool) -> Iterator[Fault]:
    if value is None and any(isinstance(each, inspect.NoneType) for each in info.types):
        return
    fitting = [each for each in info.types if not isinstance(each, inspect.NoneType)]
    for each in fitting:
        if len(fitting) == 1 or isinstance(value, _python_type(each)):
            yield from find_faults(each, value, loc, strict)
            return
    names = [_type_words(each) for each in fitting]
    yield Fault(loc, "type", Words(" or ".join(n.en for n in names), " ou ".join(n.fr for n in names)))


_PYTHON: Final[dict[type, type]] = {
    inspect.StrType: str,
    inspect.DateTimeType: str,
    inspect.LiteralType: str,
    inspect.IntType: int,
    inspect.FloatType: float,
    inspect.BoolType: bool,
    inspect.ListType: list,
    inspect.StructType: dict,
    inspect.DictType: dict,
}

_TYPE_WORDS: Final[dict[type, Words]] = {
    inspect.StrType: Words("text is expected", "un texte est attendu"),
    inspect.IntType: Words("a whole number is expected", "un nombre entier est attendu"),
    inspect.FloatType: Words("a number is expected", "un nombre est attendu"),
    inspect.BoolType: Words("true or false is expected", "true ou false est attendu"),
    inspect.ListType: Words("a list is expected", "une liste est attendue"),
    inspect.StructType: Words("an object is expected", "un objet est attendu"),
    inspect.DateTimeType: Words(
        "a time with its offset is expected, like 2026-01-31T08:00:00Z",
        "un moment avec son décalage est attendu, comme 2026-01-31T08:00:00Z",
    ),
}


def _python_type(info: inspect.Type) -> type:
    return _PYTHON.get(type(info.type if isinstance(info, inspect.Metadata) else info), object)


def _type_words(info: inspect.Type) -> Words:
    info = info.type if isinstance(info, inspect.Metadata) else info
    return _TYPE_WORDS.get(type(info), NOT_READ)


def _leaf_fault(info: inspect.Type, value: Any, strict: bool) -> tuple[str, Words] | None:
    if isinstance(info, inspect.LiteralType):
        if value in info.values and isinstance(value, str | int):
            return None
        listed = ", ".join(map(str, info.values))
        return "choice", Words(f"one of {listed} is expected", f"attendu : l'un de {listed}")
    if isinstance(info, inspect.StrType):
        return _text_fault(info, value)
    if isinstance(info, inspect.IntType | inspect.FloatType):
        return _number_fault(info, value, strict)
    if isinstance(info, inspect.DateTimeType):
        return None if _is_time(value) else ("time", _type_words(info))
    if isinstance(info, inspect.BoolType):
        fits = isinstance(value, bool) or (not strict and str(value).lower() in ("true", "false", "0", "1"))
        return None if fits else ("type", _type_words(info))
    return None


def _text_fault(info: inspect.StrType, value: Any) -> tuple[str, Words] | None:
    if not isinstance(value, str):
        return "type", _type_words(info)
    low, high = info.min_length or 0, info.max_length
    if len(value) < low or (high is not None and len(value) > high):
        return "length", _between(low, high, Words("characters", "caractères"))
    if info.pattern is not None and not re.search(info.pattern, value):
        return "pattern", Words(f"text like {info.pattern} is expected", f"attendu : un texte comme {info.pattern}")
    return None


def _number_fault(info: inspect.IntType | inspect.FloatType, value: Any, strict: bool) -> tuple[str, Words] | None:
    kind = int if isinstance(info, inspect.IntType) else (int, float)
    if not strict and isinstance(value, str):
        try:
            value = int(value) if kind is int else float(value)
        except ValueError:
            return "type", _type_words(info)
    if not isinstance(value, kind) or isinstance(value, bool):
        return "type", _type_words(info)
    low = info.ge if info.ge is not None else info.gt
    high = info.le if info.le is not None else info.lt
    if (low is not None and value < low) or (high is not None and value > high):
        return "range", _between(low, high, Words("", ""))
    return None


def _is_time(value: Any) -> bool:
    try:
        return datetime.datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _between(low: Any, high: Any, of: Words) -> Words:
    en, fr = (f" {of.en}" if of.en else ""), (f" {of.fr}" if of.fr else "")
    if high is None:
        return Words(f"at least {low}{en}", f"au moins {low}{fr}")
    if low is None:
        return Words(f"at most {high}{en}", f"au plus {high}{fr}")
    return Words(f"{low} to {high}{en}", f"de {low} à {high}{fr}")
