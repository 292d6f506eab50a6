"""REST's models as GraphQL types: what a msgspec.Struct says once is said there, too.

Source: GraphQL specification (October 2021), section 3; strawberry reads annotations, so types are made by annotating.
A page of REST (one list, next_cursor) is a connection. Names are REST's in camelCase; ids and amounts are text already.
What must not enter: a single model; what a field answers (schema.py).
"""

from __future__ import annotations

import datetime
import inspect
import types
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, Literal, Optional, Union, get_args, get_origin, get_type_hints

import msgspec
import strawberry
from strawberry.scalars import JSON

PAGING: Final = {"cursor": "after", "limit": "first"}  # the words of connections for those of REST


class PageInfo(msgspec.Struct):
    """end_cursor: for `after` of the next question, where there is one."""

    end_cursor: str | None
    has_next_page: bool


class Page(msgspec.Struct):
    """A page of REST as a connection."""

    nodes: list[Any]
    page_info: PageInfo


def rows_of(model: type) -> str | None:
    """The name of the list of a page; None: the model is no page."""
    names = {each.name for each in msgspec.structs.fields(model)}
    rest = names - {"next_cursor", "has_more"}
    return rest.pop() if "next_cursor" in names and len(rest) == 1 else None


def as_page(value: Any) -> Page:
    """A page of REST, with has_more where its cursor does not tell the end."""
    name = rows_of(type(value))
    assert name is not None
    more = getattr(value, "has_more", value.next_cursor is not None)
    return Page(getattr(value, name), PageInfo(value.next_cursor, more))


class Shapes:
    """The types made so far. resolvers: of fields that are read later than their model, by model and name."""

    def __init__(self, resolvers: dict[tuple[type, str], Callable[..., Awaitable[Any]]]) -> None:
        self._resolvers = resolvers
        self._made: dict[Any, Any] = {}

    def answer(self, model: type) -> Any:
        """The type of what a route answers."""
        name = rows_of(model)
        if name is None:
            return self._of(model)
        (row,) = get_args(get_type_hints(model)[name])
        title = f"{row.__name__}Connection"
        fields = {"nodes": list[self._of(row)], "page_info": self._of(PageInfo)}  # type: ignore[misc]  # made here
        return self._made.setdefault(title, self._type(title, fields, {}, None))

    def arguments(self, model: type) -> list[inspect.Parameter]:
        """Of a field that takes what a model of REST takes."""
        hints = get_type_hints(model)
        return [
            argument(each.name, self._of(hints[each.name]), each.required, each.encode_name)
            for each in msgspec.structs.fields(model)
        ]

    def _of(self, hint: Any) -> Any:
        """The annotation that strawberry reads, for one that msgspec reads."""
        origin, inner = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return self._of(inner[0])
        if origin in (Union, types.UnionType):
            kinds = [each for each in inner if each is not type(None)]
            lists = [each for each in kinds if get_origin(_bare(each)) is list]  # one is a list of one
            found = self._of((lists or kinds)[0])
            return Optional[found] if type(None) in inner else found  # noqa: UP045  # of a type that is made here
        if origin is list:
            return list[self._of(inner[0])]  # type: ignore[misc]  # made here
        if origin is dict or hint is Any:
            return JSON
        if origin is Literal or hint is datetime.datetime:
            return str
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            return self._object(hint)
        return hint

    def _object(self, model: type) -> Any:
        if model not in self._made:
            hints = get_type_hints(model)
            named = {each.name: each.encode_name for each in msgspec.structs.fields(model)}
            shown = {name: self._of(hints[name]) for name in named}
            self._made[model] = self._type(model.__name__, shown, named, model)
        return self._made[model]

    def _type(self, title: str, fields: dict[str, Any], named: dict[str, str], model: type | None) -> Any:
        body: dict[str, Any] = {"__annotations__": fields}
        for name in fields:
            resolver: Any = self._resolvers.get((model, name)) if model is not None else None
            body[name] = strawberry.field(resolver=resolver, name=camel(named.get(name, name)))
        return strawberry.type(type(title, (), body))


def argument(name: str, hint: Any, required: bool, called: str) -> inspect.Parameter:
    """One argument of a field, as its resolver's signature has it."""
    if not required:
        hint = Optional[hint]  # noqa: UP045  # of a type that is made here
    told = Annotated[hint, strawberry.argument(name=argument_name(called))]
    default = inspect.Parameter.empty if required else strawberry.UNSET
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=told, default=default)


def argument_name(called: str) -> str:
    """The name of an argument, for that of a field of REST."""
    return camel(PAGING.get(called, called))


def camel(name: str) -> str:
    """next_cursor as nextCursor."""
    first, *rest = name.split("_")
    return first + "".join(each.capitalize() for each in rest)


def _bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint
