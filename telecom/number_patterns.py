"""What the first digits of a number already decide about a pattern: all completions match, none, or some.

Patterns are libphonenumber's: digits, classes, groups, alternatives, "?", "{m,n}" and "$" (ITU-T E.164 plans in
regular expressions). Each is read once and stepped digit by digit (Antimirov's partial derivatives); what remains
is explored to the known length. Only patterns of digits may enter: no metadata, no number.
"""

import re
from functools import lru_cache
from typing import Final, Literal

Verdict = Literal["all", "none", "some"]

DIGITS: Final = "0123456789"
_TOKENS: Final = re.compile(r"\[[0-9-]+\]|\\d|[0-9]|\(\?:|[()|?$]|\{[0-9]+(?:,[0-9]+)?\}")
_END: Final = "$"

# A sequence is what is still to be matched; a node is a set of digits, the end of the number, or alternatives.
Node = frozenset[str] | str | tuple["Sequence", ...]
Sequence = tuple[Node, ...]
States = frozenset[Sequence]


class UnknownSyntax(ValueError):
    """The pattern uses what this file does not read: then nothing is decided early."""


class _PatternReader:
    """Recursive descent over the tokens of one pattern."""

    def __init__(self, pattern: str) -> None:
        self.tokens = _TOKENS.findall(pattern)
        if "".join(self.tokens) != pattern:
            raise UnknownSyntax(pattern)
        self.position = 0

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.position += 1
        return token

    def alternatives(self) -> tuple[Sequence, ...]:
        found = [self.sequence()]
        while self.peek() == "|":
            self.take()
            found.append(self.sequence())
        return tuple(found)

    def sequence(self) -> Sequence:
        nodes: list[Node] = []
        while self.peek() not in ("", "|", ")"):
            nodes.extend(self.quantified(self.node()))
        return tuple(nodes)

    def node(self) -> Node:
        token = self.take()
        if token in ("(", "(?:"):
            found = self.alternatives()
            if self.take() != ")":
                raise UnknownSyntax("group without an end")
            return found
        if token == "$":
            return _END
        if token == r"\d":
            return frozenset(DIGITS)
        if token[0] == "[":
            return frozenset(digit for digit in DIGITS if re.fullmatch(token, digit))
        if token in DIGITS:
            return frozenset(token)
        raise UnknownSyntax(token)

    def quantified(self, node: Node) -> Sequence:
        token = self.peek()
        if token == "?":
            self.take()
            return (((node,), ()),)
        if not token.startswith("{"):
            return (node,)
        self.take()
        least, _, most = token[1:-1].partition(",")
        optional: Sequence = ()
        for _ in range(int(most or least) - int(least)):
            optional = (((node, *optional), ()),)
        return (node,) * int(least) + optional


@lru_cache(maxsize=4096)  # the plans of the whole world have about 1300 patterns
def _start(pattern: str) -> States:
    reader = _PatternReader(pattern)
    alternatives = reader.alternatives()
    if reader.peek():
        raise UnknownSyntax(pattern)
    return frozenset(alternatives)


def _advance_sequence(sequence: Sequence, digit: str) -> States:
    if not sequence or sequence[0] == _END:
        return frozenset()
    head, rest = sequence[0], sequence[1:]
    if isinstance(head, frozenset):
        return frozenset((rest,)) if digit in head else frozenset()
    return frozenset(after for choice in head for after in _advance_sequence((*_sequence(choice), *rest), digit))


def _sequence(choice: Sequence | str) -> Sequence:
    assert not isinstance(choice, str)
    return choice


@lru_cache(maxsize=65536)  # chosen: bounds memory at some tens of MB in the worst mix of countries
def _after(pattern: str, prefix: str) -> States:
    if not prefix:
        return _start(pattern)
    return _advance(_after(pattern, prefix[:-1]), prefix[-1])


@lru_cache(maxsize=65536)
def _advance(states: States, digit: str) -> States:
    return frozenset(after for sequence in states for after in _advance_sequence(sequence, digit))


def _accepts(states: States, at_end: bool) -> bool:
    return any(_empties(sequence, at_end) for sequence in states)


def _empties(sequence: Sequence, at_end: bool) -> bool:
    for node in sequence:
        if isinstance(node, frozenset) or (node == _END and not at_end):
            return False
        if isinstance(node, tuple) and not any(_empties(_sequence(choice), at_end) for choice in node):
            return False
    return True


@lru_cache(maxsize=65536)
def _completions(states: States, remaining: int) -> Verdict:
    """Whether the next `remaining` digits, whatever they are, end in acceptance."""
    if not states:
        return "none"
    if remaining == 0:
        return "all" if _accepts(states, at_end=True) else "none"
    verdicts = {_completions(after, remaining - 1) for after in {_advance(states, digit) for digit in DIGITS}}
    return verdicts.pop() if len(verdicts) == 1 else "some"


def full_match(pattern: str, prefix: str, remaining: int) -> Verdict:
    """Whether numbers of `prefix` and `remaining` more digits match the whole pattern. May raise UnknownSyntax."""
    return _completions(_after(pattern, prefix), remaining)


@lru_cache(maxsize=65536)
def _grows_into_match(states: States, remaining: int) -> Verdict:
    """Whether one or more of the next `remaining` digits bring acceptance on the way."""
    if not states or remaining == 0:
        return "none"
    verdicts: set[Verdict] = {
        "all" if _accepts(after, at_end=remaining == 1) else _grows_into_match(after, remaining - 1)
        for after in {_advance(states, digit) for digit in DIGITS}
    }
    return verdicts.pop() if len(verdicts) == 1 else "some"


def starts_with_match(pattern: str, prefix: str, remaining: int) -> Verdict:
    """Whether such numbers begin with a match of one digit or more. May raise UnknownSyntax."""
    for length in range(1, len(prefix) + 1):
        if _accepts(_after(pattern, prefix[:length]), at_end=remaining == 0 and length == len(prefix)):
            return "all"
    return _grows_into_match(_after(pattern, prefix), remaining)
