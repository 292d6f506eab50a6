"""Routes and rates by versions, as operators write and read them: lists, drafts, differences, checks, dry runs, cards.

Ids are text, amounts exact text of credits, as everywhere in the API. `revision` is what the writer of a change saw.
What must not enter: what is sensible (gateway.versions.checks), rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from admin_api.languages import Words
from admin_api.models_carriers import TrafficClass
from admin_api.models_messages import Limit
from admin_api.models_operators import Cursor, Id
from admin_api.problems import Fault
from router.number_ranges import is_mcc, is_mnc
from router.prefixes import is_prefix
from router.route import EVERYTHING, MINUTES_OF_WEEK
from telecom.money import MICROS_PER_CREDIT, MoneyRefused, parse_credits

MOST_ROUTES: Final = 2000  # chosen: every pair of them is compared
MOST_CHANGES: Final = 1000  # chosen: rates of one request; more come by a card
MOST_CREDITS: Final = 10_000  # chosen, as `passerelle rate add`: a part dearer than that is a slip of the keyboard
ORDER_LIMIT: Final = 1_000_000  # chosen, as `passerelle route add`
NO_NETWORK: Final = Words(
    "write *, a prefix like 229, or a network like 616/03 or 616/*",
    "écrivez *, un préfixe comme 229, ou un réseau comme 616/03 ou 616/*",
)
NO_PREFIX: Final = Words("write * or 1 to 15 digits like 229", "écrivez * ou de 1 à 15 chiffres comme 229")
NO_AMOUNT: Final = Words(
    "write credits with at most six decimals, like 0.035, at most 10000",
    "écrivez des crédits avec six décimales au plus, comme 0.035, 10000 au plus",
)
NO_PLACE: Final = Words("write a version like 12, or draft:3", "écrivez une version comme 12, ou draft:3")
ENDS_BEFORE: Final = Words("a window ends after it begins", "une plage finit après avoir commencé")
NUL: Final = Words("a NUL character cannot be stored", "un caractère NUL ne peut être stocké")

Amount = Annotated[str, Meta(min_length=1, max_length=20)]
Destination = Annotated[str, Meta(min_length=1, max_length=15)]
Minute = Annotated[int, Meta(ge=0, le=MINUTES_OF_WEEK)]
Note = Annotated[str, Meta(max_length=200)]
Revision = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Version = Annotated[int, Meta(ge=0, le=2**31 - 2)]


def micros_of(text: str) -> int | None:
    """Micros of an amount, None for none that a part may cost."""
    micros = parse_credits(text)
    return None if isinstance(micros, MoneyRefused) or micros > MOST_CREDITS * MICROS_PER_CREDIT else micros


def is_destination(text: str) -> bool:
    """What a route may name: everything, a prefix, a network, a country."""
    mcc, slash, mnc = text.partition("/")
    return (is_mcc(mcc) and (mnc == EVERYTHING or is_mnc(mnc))) if slash else text == EVERYTHING or is_prefix(text)


class RouteRule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A route. id null: a new one. to: *, a prefix, or a network. windows: minutes of the week, UTC, Monday 00:00 is 0;
    none: always. cost: what a part by it costs us, where that is known.
    """

    id: Id | None = None
    order: Annotated[int, Meta(ge=0, le=ORDER_LIMIT)] = 100
    to: Destination
    connector: Annotated[str, Meta(min_length=1, max_length=64)]
    weight: Annotated[int, Meta(ge=1, le=10_000)] = 1
    account_id: Id | None = None
    sender: Annotated[str, Meta(min_length=1, max_length=20)] | None = None
    traffic_class: TrafficClass | None = None
    windows: Annotated[list[tuple[Minute, Minute]], Meta(max_length=50)] = []
    enabled: bool = True
    cost: Amount | None = None


class WriteRoutes(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """All routes of a draft, in place of those before."""

    revision: Revision
    routes: Annotated[list[RouteRule], Meta(max_length=MOST_ROUTES)]

    def more_faults(self) -> Iterator[Fault]:
        """What one field means."""
        for place, route in enumerate(self.routes):
            if not is_destination(route.to):
                yield Fault(("routes", place, "to"), "destination", NO_NETWORK)
            if route.cost is not None and micros_of(route.cost) is None:
                yield Fault(("routes", place, "cost"), "amount", NO_AMOUNT)
            if any(start >= end for start, end in route.windows):
                yield Fault(("routes", place, "windows"), "window", ENDS_BEFORE)
            if "\0" in route.connector or "\0" in (route.sender or ""):
                yield Fault(("routes", place), "nul", NUL)


class RateKey(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """account_id null: every account without a rate of its own."""

    account_id: Id | None = None
    prefix: Destination


class RateRule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The price of a part, in credits."""

    account_id: Id | None = None
    prefix: Destination
    price: Amount


class WriteRates(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Rates of a draft that are put, and taken away. More at once come by a card."""

    revision: Revision
    put: Annotated[list[RateRule], Meta(max_length=MOST_CHANGES)] = []
    remove: Annotated[list[RateKey], Meta(max_length=MOST_CHANGES)] = []

    def more_faults(self) -> Iterator[Fault]:
        """What one field means."""
        prefixes = {"put": [rate.prefix for rate in self.put], "remove": [rate.prefix for rate in self.remove]}
        for name, named in prefixes.items():
            for place, prefix in enumerate(named):
                if prefix != EVERYTHING and not is_prefix(prefix):
                    yield Fault((name, place, "prefix"), "prefix", NO_PREFIX)
        for place, put in enumerate(self.put):
            if micros_of(put.price) is None:
                yield Fault(("put", place, "price"), "amount", NO_AMOUNT)


class ListRoutes(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Of which version; absent: of the one in force."""

    version: Version | None = None


class ListRates(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Of which version (absent: the one in force) and account."""

    version: Version | None = None
    account_id: Id | None = None
    cursor: Cursor | None = None
    limit: Limit = 200


class Routes(msgspec.Struct):
    """The routes of a version, in the order they are asked."""

    version: int
    routes: list[RouteRule]


class Rates(msgspec.Struct):
    """A page of the rates of a version. next_cursor null: the end."""

    version: int
    rates: list[RateRule]
    next_cursor: str | None


class ListVersions(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which, newest first."""

    cursor: Cursor | None = None
    limit: Limit = 50


class RuleVersion(msgspec.Struct):
    """A version. equal_to: rolled back to that one."""

    version: int
    made_at: str
    made_by: str
    why: str
    equal_to: int | None


class RuleVersions(msgspec.Struct):
    """A page. current: the one in force."""

    current: int
    versions: list[RuleVersion]
    next_cursor: str | None


class AddDraft(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A draft begins as a version; absent: the one in force."""

    version: Version | None = None
    note: Note = ""


class Draft(msgspec.Struct, kw_only=True):
    """A draft. based_on: the version that it replaces. became: the version it was activated as. routes: of a draft of
    routes, where it is shown alone.
    """

    id: str
    kind: str
    state: str
    note: str
    based_on: int
    revision: int
    became: int | None
    row_count: int
    made_by: str
    made_at: str
    changed_at: str
    routes: list[RouteRule] | None = None


class ListDrafts(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which, newest first. all true: those activated and discarded, too."""

    all: bool = False


class Drafts(msgspec.Struct):
    """The newest of them, at most 200."""

    drafts: list[Draft]


class MoveDraft(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The draft is to replace this version, which came since it was begun: its author looked at the differences."""

    revision: Revision
    based_on: Version


class Seen(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The revision that was seen."""

    revision: Revision


class Activate(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """despite_doubts: the doubts of the check were seen, and it is meant."""

    revision: Revision
    despite_doubts: bool = False
    why: Note = ""


class RollBack(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """current: the version in force that was seen."""

    current: Version
    why: Note = ""


class Activated(msgspec.Struct):
    """What is in force now, and how much differs from what was."""

    version: int
    former: int
    added: int
    removed: int
    changed: int


class CompareRules(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Two versions or drafts: 12, or draft:3."""

    before: Annotated[str, Meta(pattern=r"^(draft:)?[0-9]{1,9}$", max_length=15)]
    after: Annotated[str, Meta(pattern=r"^(draft:)?[0-9]{1,9}$", max_length=15)]
    limit: Limit = 200


class RuleChange(msgspec.Struct, kw_only=True):
    """One difference. text: in words."""

    what: Literal["added", "removed", "changed"]
    subject: str
    fields: list[str]
    before: dict[str, str | None]
    after: dict[str, str | None]
    text: str


class RuleDifferences(msgspec.Struct):
    """All counts, and the first changes."""

    added: int
    removed: int
    changed: int
    changes: list[RuleChange]


class RuleFinding(msgspec.Struct):
    """route: its number; `new N` for the N-th of the list that has none; null: of no one route."""

    kind: str
    route: str | None
    text: str


class RuleChecked(msgspec.Struct):
    """faults forbid activation; doubts are to be seen before it."""

    faults: list[RuleFinding]
    doubts: list[RuleFinding]


class Moved(msgspec.Struct):
    """Messages that would go by another connector."""

    before: str
    after: str
    messages: int


class DryRunTold(msgspec.Struct, kw_only=True):
    """What would have become of a sample of the last hour's messages, all connectors up. complete: the sample is all of
    them. cost: of those messages whose routes say what a part costs, before and after.
    """

    sample: str
    messages: int
    complete: bool
    same: int
    moved: list[Moved]
    refused: int
    newly_taken: int
    price_before: str
    price_after: str
    cost_known_of: int
    cost_before: str
    cost_after: str


class ImportCard(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """mode replace: the card is all rates of its account (absent: everybody's); merge: it is put over those in force.
    preview true: no draft is made. A card with faults makes none either.
    """

    mode: Literal["replace", "merge"] = "merge"
    account_id: Id | None = None
    preview: bool = False
    note: Note = ""


class ExportCard(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Of a version (12) or a draft (draft:3); absent: of what is in force."""

    of: Annotated[str, Meta(pattern=r"^(draft:)?[0-9]{1,9}$", max_length=15)] | None = None


class CardFault(msgspec.Struct):
    """What is wrong with a line, the heading counted as line 1."""

    line: int
    kind: str
    text: str


class CardRead(msgspec.Struct, kw_only=True):
    """What a card says. faults: the first of fault_count. differences: to what is in force; draft: null where none was
    made.
    """

    rows: int
    fault_count: int
    faults: list[CardFault]
    differences: RuleDifferences | None
    draft: Draft | None


Told = dict[str, Any]
