"""The GraphQL schema: each root field is a row of the route table, read by the same function under the same scope.

Source: GraphQL specification (October 2021); strawberry. Arguments are the route's query or body, types its answer.
Loaded with the first question (served.py): who does not ask GraphQL does not pay for it.
What must not enter: SQL, a rule, a model that REST does not have.
"""

from __future__ import annotations

import inspect
import logging
import re
from time import monotonic
from typing import Any, Final, Optional

import msgspec
import strawberry
from graphql import GraphQLError
from strawberry.dataloader import DataLoader
from strawberry.schema.config import StrawberryConfig

from admin_api import message_reading
from admin_api.access import access_refusal
from admin_api.graphql.limits import MOST_NODES, too_large
from admin_api.graphql.shapes import Shapes, argument, argument_name, as_page, rows_of
from admin_api.idempotency import key_fault
from admin_api.keys import Caller
from admin_api.models_messages import Event, MessageNow, OneMessage
from admin_api.problems import Problem
from admin_api.reading import read_texts
from admin_api.route import Route
from admin_api.routes import ROUTES
from admin_api.service import Call, Service


class GraphField(msgspec.Struct, frozen=True, kw_only=True):
    """One row. takes: the model of the arguments where it is not the route's own; it must fit that one."""

    name: str
    route: str  # its method and path, as the route table has them
    takes: type | None = None


QUERIES: Final = (
    GraphField(name="balance", route="GET /v1/balance"),
    GraphField(name="ledger", route="GET /v1/ledger"),
    GraphField(name="credit_orders", route="GET /v1/credit-orders"),
    GraphField(name="messages", route="GET /v1/messages"),
    GraphField(name="message", route="GET /v1/messages/{id}"),
    GraphField(name="estimate", route="POST /v1/messages/estimate"),
    GraphField(name="delivery_reports", route="GET /v1/delivery-reports"),
    GraphField(name="inbound", route="GET /v1/inbound"),
    GraphField(name="webhooks", route="GET /v1/webhooks"),
    GraphField(name="sender_names", route="GET /v1/sender-names"),
    GraphField(name="lookups", route="POST /v1/lookups"),
    GraphField(name="opt_outs", route="GET /v1/opt-outs"),
    GraphField(name="admin_accounts", route="GET /v1/admin/accounts"),
    GraphField(name="admin_account", route="GET /v1/admin/accounts/{id}"),
    GraphField(name="admin_credit_moves", route="GET /v1/admin/credits"),
    GraphField(name="admin_credit_orders", route="GET /v1/admin/credit-orders"),
    GraphField(name="admin_sender_names", route="GET /v1/admin/sender-names"),
    GraphField(name="admin_messages", route="GET /v1/admin/messages"),
    GraphField(name="admin_message", route="GET /v1/admin/messages/{id}"),
    GraphField(name="admin_esmes", route="GET /v1/admin/esmes"),
    GraphField(name="admin_connectors", route="GET /v1/admin/connectors"),
    GraphField(name="admin_users", route="GET /v1/admin/users"),
    GraphField(name="admin_audit", route="GET /v1/admin/audit"),
)
MUTATIONS: Final = (GraphField(name="send_message", route="POST /v1/messages", takes=OneMessage),)


class Told(GraphQLError):
    """A problem as the value of a field: the executor puts it among the errors."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


class Asking:
    """One request while it is executed."""

    def __init__(self, service: Service, call: Call) -> None:
        self.service = service
        self.call = call
        self._fields = 0
        self._nodes = 0  # entries of lists, of all fields together
        self.events: DataLoader[int, list[tuple[int, str]]] = DataLoader(load_fn=self._load_events)

    async def _load_events(self, ids: list[int]) -> list[list[tuple[int, str]]]:
        """Of all messages of the answer in one statement."""
        found = await message_reading.load_events(self.service, self.call.account_id, ids)
        return [found.get(each, []) for each in ids]

    def refusal(self, route: Route, model: Any) -> Problem | None:
        """As the frame refuses a request of REST; the request itself was counted for its first field."""
        asked_by = self.call.asked_by
        assert asked_by is not None
        self._fields += 1
        if isinstance(asked_by, Caller) and self._fields > 1:
            throttled = self.service.keys.refusal(asked_by.key, monotonic())
            if throttled is not None:
                return throttled
        refusal = access_refusal(asked_by, route, self.service.sessions)
        if refusal is not None:
            return refusal
        self._nodes += len(getattr(model, "numbers", ())) + getattr(model, "limit", 0)
        return too_large("nodes", MOST_NODES) if self._nodes > MOST_NODES else None

    async def ask(self, route: Route, model: type | None, given: dict[str, Any]) -> Any:
        """What the route answers to this, or its problem."""
        path = {gap: given.pop(gap) for gap in re.findall(r"{(\w+)}", route.path)}
        key = given.pop("idempotency_key", "")
        if fault := key_fault(key):
            return Problem("invalid_request", errors=[fault])
        read: Any = None
        if model is not None:
            called = {each.name: each.encode_name for each in msgspec.structs.fields(model)}
            texts = {called[name]: value for name, value in given.items()}
            read = read_texts(route.body or route.query or model, texts, "arguments")
            if isinstance(read, Problem):
                return read
        refusal = self.refusal(route, read)
        if refusal is not None:
            return refusal
        call = msgspec.structs.replace(
            self.call, path=path, query=read, body=read, route=f"{route.method} {route.path}", idempotency_key=key
        )
        answer = await route.answer(self.service, call)
        return answer if isinstance(answer, Problem) else _read_back(answer.value, route)


def _as_arguments(problem: Problem) -> Problem:
    """Its faults under the names of arguments."""
    errors = [
        msgspec.structs.replace(each, loc=("arguments", *(argument_name(str(name)) for name in each.loc[1:])))
        for each in problem.errors
    ]
    return msgspec.structs.replace(problem, errors=errors)


def _read_back(value: Any, route: Route) -> Any:
    """The answer as its model; what was stored under an Idempotency-Key comes back as JSON."""
    if not isinstance(value, dict):
        return value
    if value.get("status") == "refused":
        return Problem(value["problem"]["code"])
    return msgspec.convert(value, route.answers[0])


async def _timeline(root: MessageNow, info: strawberry.Info) -> list[Event]:
    """Read with the message, or, of many, together."""
    if root.timeline:
        return root.timeline
    asking: Asking = info.context
    return message_reading.timeline(root, await asking.events.load(int(root.id)))


def build() -> strawberry.Schema:
    """The schema, from the rows."""
    shapes = Shapes({(MessageNow, "timeline"): _timeline})
    asks, changes = _root("Query", QUERIES, shapes), _root("Mutation", MUTATIONS, shapes)
    logging.getLogger("strawberry.execution").disabled = True  # execution.py decides what is logged
    return strawberry.Schema(asks, changes, config=StrawberryConfig(disable_field_suggestions=True))


def _root(name: str, rows: tuple[GraphField, ...], shapes: Shapes) -> type:
    routes = {f"{route.method} {route.path}": route for route in ROUTES}
    return strawberry.type(type(name, (), {row.name: _field(row, routes[row.route], shapes) for row in rows}))


def _field(row: GraphField, route: Route, shapes: Shapes) -> Any:
    """A root field: its arguments are those of the route, its resolver asks the route's function."""
    model = row.takes or route.query or route.body

    async def resolve(info: strawberry.Info, **given: Any) -> Any:
        asking: Asking = info.context
        told = {name: value for name, value in given.items() if value is not None}
        answer = await asking.ask(route, model, told)
        if isinstance(answer, Problem):
            return Told(_as_arguments(answer))
        return as_page(answer) if rows_of(type(answer)) else answer

    taken = [argument(gap, strawberry.ID, True, gap) for gap in re.findall(r"{(\w+)}", route.path)]
    taken += shapes.arguments(model) if model is not None else []
    if route.idempotent:
        taken.append(argument("idempotency_key", str, False, "idempotency_key"))
    info = inspect.Parameter("info", inspect.Parameter.KEYWORD_ONLY, annotation=strawberry.Info)
    gives: Any = Optional[shapes.answer(route.answers[0])]  # noqa: UP045  # of a type that is made here
    resolve.__signature__ = inspect.Signature([info, *taken], return_annotation=gives)  # type: ignore[attr-defined]
    return strawberry.field(resolver=resolve, description=route.summary.en)
