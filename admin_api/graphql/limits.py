"""What a GraphQL document may cost, measured before it is validated or executed: every limit has its name here.

Source: GraphQL specification (October 2021), section 2. Fragments are counted as often as they are spread, so that a
small document cannot stand for a large one; one that spreads itself is measured once and refused by validation.
What must not enter: the schema, the answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
)

from admin_api.languages import Words
from admin_api.problems import Problem

MOST_TOKENS: Final = 1_000  # chosen: five times the longest query of the guides
MOST_DEPTH: Final = 8  # chosen: our deepest is five
MOST_ALIASES: Final = 15  # chosen
MOST_FIELDS: Final = 300  # chosen: fragments spread out
MOST_NODES: Final = 1_000  # chosen: entries of all lists of one answer, five full pages
INTROSPECTION: Final = frozenset({"__schema", "__type"})
INTROSPECTION_DEPTH: Final = 15  # what programs ask goes 13 deep; lists within lists are left to validation

NAMES: Final = {
    "tokens": Words("words and signs", "mots et signes"),
    "depth": Words("levels", "niveaux"),
    "aliases": Words("aliases", "alias"),
    "fields": Words("fields", "champs"),
    "nodes": Words("entries of lists", "entrées de listes"),
}


def too_large(name: str, most: int) -> Problem:
    """The problem of a document that passes a limit."""
    words = NAMES[name]
    detail = Words(f"At most {most} {words.en}.", f"Au plus {most} {words.fr}.")
    return Problem("query_too_large", detail, more={"limit": name, "most": most})


class Size(NamedTuple):
    """Of a document, or a part of it."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    introspects: bool = False

    def beside(self, other: Size) -> Size:
        """Both, one after the other."""
        return Size(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.introspects or other.introspects,
        )

    def excess(self) -> Problem | None:
        """The first limit that is passed."""
        depth = INTROSPECTION_DEPTH if self.introspects else MOST_DEPTH
        counts = (("depth", self.depth, depth), ("fields", self.fields, MOST_FIELDS))
        for name, count, most in (*counts, ("aliases", self.aliases, MOST_ALIASES)):
            if count > most:
                return too_large(name, most)
        return None


def measure(document: DocumentNode) -> Size:
    """Its operations together. Counting ends soon after a limit is passed."""
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    known: dict[str, Size] = {}

    def of_all(selections: Iterable[SelectionNode]) -> Size:
        size = Size()
        for each in selections:
            size = size.beside(of_one(each))
        return size

    def of_one(node: SelectionNode) -> Size:
        if isinstance(node, FragmentSpreadNode):
            return of_fragment(node.name.value)
        if isinstance(node, InlineFragmentNode):
            return of_all(node.selection_set.selections)
        assert isinstance(node, FieldNode)
        inner = of_all(node.selection_set.selections) if node.selection_set else Size()
        name = node.name.value
        own = Size(inner.depth + 1, 1, int(node.alias is not None), name in INTROSPECTION)
        return own.beside(inner._replace(depth=0))

    def of_fragment(name: str) -> Size:
        if name not in known and name in fragments:
            known[name] = Size()  # while it is measured: what spreads itself ends here
            known[name] = of_all(fragments[name].selection_set.selections)
        return known.get(name, Size())

    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return of_all(selection for each in operations for selection in each.selection_set.selections)
