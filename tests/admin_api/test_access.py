"""The access matrix: every row of the route table, asked by everybody there is. A new row is in it by itself.

Who may what is derived from the table (scope or permission) and from the roles; whose things one may see, from the gap
{id} in a path: MADE and THEIRS say how such a thing is made. One living process answers all of it.
What must not enter: what a route does with a right request.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import pytest
from msgspec import inspect

from admin_api import openapi
from admin_api.roles import OPEN, PERMISSIONS, ROLES, SELF
from admin_api.route import BY_FIELD, Route
from admin_api.routes import ROUTES
from admin_api.sessions import COOKIE, SAFE
from gateway.storage import facts
from tests.admin_api.conftest import HANDSET, Api, Reply
from tests.eventually import eventually
from tests.gateway.conftest import WITHIN_S

NOBODYS: Final = "999999999"  # an id of nothing
UNFIT: Final = {"nonsense": 1}  # a body that no model takes: access is decided before it is read
OF_ACCESS: Final = frozenset(
    (
        "unauthenticated",
        "scope_missing",
        "not_signed_in",
        "permission_missing",
        "csrf_token_missing",
        "password_change_needed",
        "second_factor_needed",
    )
)
# How a customer's thing is made: by the collection that its id follows, a body for POST there.
MADE: Final[Mapping[str, Any]] = {
    "/v1/messages": {"to": HANDSET, "from": "ACME", "text": "hello"},
    "/v1/webhooks": {"url": "https://example.com/told", "events": ["message.delivered"]},
    "/v1/lookup-jobs": b"number\n+2290197000001\n",
    "/v1/credit-orders": {"credits": "5", "contact_name": "Awa", "email": "awa@example.com", "phone": "+22997000001"},
    "/v1/sender-names": {"name": "SHOP24", "purpose": "a test of access", "sample": "hello"},
    "/v1/otp": {"to": HANDSET, "from": "ACME"},
}
TEXTS: Final = {  # a text of each pattern that a body beside an {id} asks for
    r"^[1-9][0-9]{0,8}$": "1",
    r"^([0-9]{1,15}|\*)$": "229",
}
BODIES: Final[Mapping[str, Any]] = {  # right bodies beside an {id}, where one cannot be made from the model
    "PUT /v1/admin/accounts/{id}/rates": {"rates": [{"prefix": "229", "price": "9"}]},
}


@dataclasses.dataclass
class Caller:
    """Somebody who asks. name: `key` with every scope, `bare` key without any, a role, or what is said below."""

    name: str
    api: Api


def filled(route: Route, number: str = NOBODYS) -> str:
    """The route's path, its first gap filled with an id."""
    path = re.sub(r"\{\w+\}", number, route.path, count=1)
    return re.sub(r"\{\w+\}", NOBODYS, path)


async def ask(caller: Caller, route: Route, number: str = NOBODYS) -> Reply:
    """A request that is refused where access is granted: nothing comes of it."""
    question = "?nonsense=1" if route.query is not None else ""
    return await caller.api.ask(route.method, filled(route, number) + question, UNFIT if route.body else None)


def expected(route: Route, who: str) -> str | None:
    """The code of access that a caller is refused with; None: it is granted."""
    if route.permission == OPEN:
        return None
    if route.scope == BY_FIELD and who != "nobody":
        return {"cookie": "csrf_token_missing", "new": "password_change_needed"}.get(who)
    if route.scope:
        return None if who in ("key", "other") else "scope_missing" if who == "bare" else "unauthenticated"
    if who in ("nobody", "key", "other", "bare"):
        return "not_signed_in"
    if who == "cookie":
        return None if route.method in SAFE else "csrf_token_missing"
    role = "superadmin" if who == "new" else who
    if route.permission != SELF and route.permission not in ROLES[role]:
        return "permission_missing"
    return "password_change_needed" if who == "new" and not route.before_ready else None


async def everybody(api: Api) -> list[Caller]:
    """One of each kind. other: a key of another account; new: he must choose a password; cookie: without CSRF token."""
    other = await facts.add_account(api.ground.connection, "other", 0, None)
    keys = {"key": {}, "bare": {"scopes": []}, "other": {"account_id": other}}
    callers = [Caller(name, dataclasses.replace(api, key=await api.give_key(**given))) for name, given in keys.items()]
    callers += [Caller("nobody", dataclasses.replace(api, key=""))]
    callers += [Caller(role, await signed_in(api, role)) for role in ROLES]
    new = await signed_in(api, "superadmin")
    await api.ground.connection.execute(
        "UPDATE users SET must_change_password = true WHERE user_id = (SELECT max(user_id) FROM users)"
    )
    return [*callers, Caller("new", new), Caller("cookie", await signed_in(api, "superadmin"))]


async def signed_in(api: Api, role: str) -> Api:
    return await api.sign_in(role, api.ground.account_id if role == "reseller" else None)


async def answer_of(caller: Caller, route: Route) -> Reply:
    if caller.name == "cookie":
        kept = {"Cookie": f"{COOKIE}={caller.api.key}", "Authorization": ""}
        question = "?nonsense=1" if route.query is not None else ""
        return await caller.api.ask(route.method, filled(route) + question, UNFIT if route.body else None, **kept)
    return await ask(caller, route)


async def test_every_route_answers_everybody_as_the_table_says(api: Api) -> None:
    callers = await everybody(api)
    # who signs out is asked last: nobody is there afterwards
    routes = sorted(ROUTES, key=lambda route: (route.method, route.path) == ("DELETE", "/v1/admin/session"))

    wrong = []
    for route in routes:
        for caller in callers:
            reply = await answer_of(caller, route)
            code = reply.json.get("code") if isinstance(reply.json, dict) else None
            refused = code if code in OF_ACCESS else None
            if refused != expected(route, caller.name) or reply.status >= 500:
                wrong.append(f"{route.method} {route.path} by {caller.name}: {reply.status} {code}")
            elif code == "permission_missing" and reply.json["permission"] != route.permission:
                wrong.append(f"{route.method} {route.path}: {reply.json['permission']} is missing?")
    assert not wrong, "\n".join(wrong)


async def test_another_accounts_things_are_unknown(api: Api) -> None:
    other_id = await facts.add_account(api.ground.connection, "other", 0, None)
    other = dataclasses.replace(api, key=await api.give_key(account_id=other_id))
    things = {collection: await made(api, collection) for collection in MADE}
    wrong = []
    for route in ROUTES:
        if not route.scope or "{" not in route.path:
            continue
        number = things[collection_of(route)]
        reply = await other.ask(route.method, filled(route, number), body_of(route))
        if reply.status != 404:
            wrong.append(f"{route.method} {route.path}: {reply.status} {reply.text[:200]}")
    for collection, number in things.items():
        assert (await api.ask("GET", f"{collection}/{number}")).status == 200, f"{collection}/{number} is not there"
        listed = await other.ask("GET", collection)
        assert listed.status in (200, 404, 405)
        assert len(number) < 5 or number not in listed.text
    assert not wrong, "\n".join(wrong)


async def test_a_resellers_user_knows_of_no_other_tree(api: Api) -> None:
    root = await api.sign_in("superadmin")
    own, foreign = [(await opened(root, name))["account"]["id"] for name in ("Own", "Foreign")]
    reseller, stranger = await api.sign_in("reseller", int(own)), await api.sign_in("reseller", int(foreign))
    things = {collection: await THEIRS[collection](root, own) for collection in THEIRS}
    wrong = []
    for route in ROUTES:
        if route.permission not in ROLES["reseller"] or route.gives_stream:
            continue
        if "{" not in route.path:
            told = await stranger.ask("GET", route.path) if route.method == "GET" else None
            if told is not None and (told.status != 200 or "Zebra" in told.text):
                wrong.append(f"{route.method} {route.path}: {told.status} {told.text[:200]}")
            continue
        number = things[collection_of(route)]
        reply = await stranger.ask(route.method, filled(route, number), body_of(route))
        if reply.status != 404:
            wrong.append(f"{route.method} {route.path}: {reply.status} {reply.text[:200]}")
        if route.method == "GET" and (await reseller.ask("GET", filled(route, number))).status != 200:
            wrong.append(f"{route.method} {route.path}: his own is not there")
    assert not wrong, "\n".join(wrong)


async def opened(root: Api, name: str, **more: Any) -> Any:
    reply = await root.ask("POST", "/v1/admin/accounts", {"name": name, **more})
    assert reply.status == 201, reply.text
    return reply.json


async def account_below(root: Api, parent_id: str) -> str:
    number: str = (await opened(root, "Zebra", parent_id=parent_id))["account"]["id"]
    return number


async def move_below(root: Api, parent_id: str) -> str:
    account = await opened(root, "Zebra move", parent_id=parent_id)
    words = {"account_id": account["account"]["id"], "kind": "top_up", "credits": "5", "reason": "a test"}
    reply = await root.ask("POST", "/v1/admin/credits", words)
    assert reply.status < 300, reply.text
    number: str = reply.json["id"]
    return number


async def order_below(root: Api, parent_id: str) -> str:
    account = await opened(root, "Zebra order", parent_id=parent_id, api_key={})
    number = int(account["account"]["id"])
    await eventually(lambda: number in root.service.book.accounts, WITHIN_S, "the account is known")
    customer = dataclasses.replace(root, key=account["api_key"])
    return await made(customer, "/v1/credit-orders")


async def esme_below(root: Api, parent_id: str) -> str:
    account = await opened(root, "Zebra login", parent_id=parent_id)
    words = {"system_id": "zebra1", "account_id": account["account"]["id"]}
    reply = await root.ask("POST", "/v1/admin/esmes", words)
    assert reply.status == 201, reply.text
    number: str = reply.json["id"]
    return number


THEIRS: Final = {
    "/v1/admin/accounts": account_below,
    "/v1/admin/esmes": esme_below,
    "/v1/admin/credits": move_below,
    "/v1/admin/credit-orders": order_below,
}


async def made(api: Api, collection: str) -> str:
    """The id of a thing of the account, just made."""
    given = MADE[collection]
    csv = {"Content_Type": "text/csv"} if isinstance(given, bytes) else {}
    reply = await api.ask("POST", collection, given, **csv)
    assert reply.status < 300, f"POST {collection}: {reply.text}"
    number: str = reply.json["id"]
    return number


def collection_of(route: Route) -> str:
    return route.path.partition("/{")[0]


def body_of(route: Route) -> Any:
    """A right body, made from the model."""
    if route.body is None:
        return None
    return BODIES.get(f"{route.method} {route.path}") or example(inspect.type_info(route.body), route)


def example(info: inspect.Type, route: Route) -> Any:
    """The smallest value of a type."""
    if isinstance(info, inspect.Metadata):
        return example(info.type, route)
    if isinstance(info, inspect.StructType):
        return {field.encode_name: example(field.type, route) for field in info.fields if field.required}
    if isinstance(info, inspect.UnionType):
        return example(info.types[0], route)
    if isinstance(info, inspect.ListType):
        return [example(info.item_type, route)] * (info.min_length or 0)
    if isinstance(info, inspect.LiteralType):
        return info.values[0]
    if isinstance(info, inspect.StrType):
        if info.pattern is None:
            return "x" * max(1, info.min_length or 0)
        assert info.pattern in TEXTS, (
            f"{route.method} {route.path}: give TEXTS a text like {info.pattern}, or BODIES one"
        )
        return TEXTS[info.pattern]
    if isinstance(info, inspect.DateTimeType):
        return datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC).isoformat()
    return {inspect.BoolType: True, inspect.IntType: 1, inspect.FloatType: 1.0, inspect.DictType: {}}[type(info)]


def test_every_thing_with_an_id_can_be_made_here() -> None:
    for route in ROUTES:
        if "{" in route.path and route.scope:
            assert collection_of(route) in MADE, f"{route.path}: say in MADE how one is made"
        if "{" in route.path and route.permission in ROLES["reseller"]:
            assert collection_of(route) in THEIRS, f"{route.path}: say in THEIRS how one is made below an account"


def test_roles_and_routes_name_the_same_permissions() -> None:
    used = {route.permission for route in ROUTES if route.permission} - {OPEN, SELF}
    assert used <= PERMISSIONS, f"no role has {used - PERMISSIONS}"


def test_the_description_tells_whom_each_route_is_for() -> None:
    document = openapi.document("en")
    told = {(method.upper(), path) for path, each in document["paths"].items() for method in each}
    assert told == {(route.method, route.path) for route in ROUTES}
    for route in ROUTES:
        operation = document["paths"][route.path][route.method.lower()]
        assert operation.get("x-scope", operation.get("x-permission")) == (route.scope or route.permission)
        assert bool(operation["security"]) is (route.permission != OPEN)


@pytest.mark.parametrize("given", [{}, {"scope": "webhooks", "permission": "users.read"}])
def test_a_row_is_a_customers_or_an_operators(given: dict[str, str]) -> None:
    fields = msgspec.structs.asdict(ROUTES[0]) | {"scope": "", "permission": ""} | given
    with pytest.raises(AssertionError):
        Route(**fields)
