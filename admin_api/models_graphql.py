"""What goes in and out at /graphql, as far as it is the same for every question.

Source: GraphQL over HTTP (working draft), requests and responses in JSON.
What must not enter: the schema (graphql/).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from admin_api.problems import Fault
from admin_api.reading import NUL

LONGEST_QUERY: Final = 10_000  # chosen: characters; beside it a limit of tokens (graphql/limits.py)


class AskGraphql(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """One document; no list of them. extensions: what programs add, unread."""

    query: Annotated[str, Meta(min_length=1, max_length=LONGEST_QUERY)]
    variables: dict[str, Any] | None = None
    operation_name: Annotated[str, Meta(max_length=200)] | None = None
    extensions: dict[str, Any] | None = None

    def more_faults(self) -> Iterator[Fault]:
        """NUL has no place in what reaches PostgreSQL."""
        if "\0" in self.query:
            yield Fault(("query",), "nul", NUL)


class GraphqlAnswer(msgspec.Struct, omit_defaults=True):
    """data and errors as the specification has them; extensions of an error: its problem."""

    data: dict[str, Any] | None = None
    errors: list[dict[str, Any]] = []
