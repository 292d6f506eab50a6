"""GraphQL over a living process: it reads as REST reads, under the same scopes and rates, and no document harms it.

What belongs here: what /graphql adds, its limits, its masks. What must not enter: what REST's resources answer.
"""

from __future__ import annotations

import datetime
import logging
from typing import Any

import asyncpg
import pytest
from graphql import (
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    build_schema,
    get_introspection_query,
    get_named_type,
    is_required_argument,
    parse,
)

from admin_api.graphql import execution, limits
from admin_api.graphql.schema import QUERIES
from gateway.storage import facts
from gateway.storage.group_commit import NotCommitted
from tests.admin_api.conftest import HANDSET, NODE_LIVES, Api, Reply, api_configuration, running_api
from tests.eventually import eventually
from tests.gateway.conftest import Ground

PAGE = "{messages(first: 200) {nodes {id status from class timeline {at event}} pageInfo {endCursor hasNextPage}}}"
SEND = """mutation ($key: String, $from: String = "ACME") {
  sendMessage(from: $from, to: "+2290197000001", text: "hello", idempotencyKey: $key) {id parts credits}
}"""
BOMB = "query {...f9} fragment f0 on Query {balance {balance}} " + " ".join(
    f"fragment f{n} on Query {{...f{n - 1} ...f{n - 1}}}" for n in range(1, 10)
)
PER_FIELD = "balance {" + " ".join(f"a{n}: balance" for n in range(16)) + "}"

EMPTY = {"deliveryReports", "inbound", "optOuts", "adminAudit", "adminCreditMoves", "adminEsmes"}  # of a new account
HOSTILE = {  # a document, the code of its problem, and the limit that is named
    "deep": ("{" + "a {" * 20 + "b" + "}" * 21, "query_too_large", "depth"),
    "deeper than the parser": ("{" + "a {" * 400 + "b" + "}" * 401, "query_too_large", "depth"),
    "deep value": ("{balance(x: " + "[" * 450 + "]" * 450 + ") {balance}}", "query_too_large", "depth"),
    "wide": ("{" + " balance {balance}" * 200 + "}", "query_too_large", "fields"),
    "aliases": ("{" + PER_FIELD + "}", "query_too_large", "aliases"),
    "aliases in a fragment": ("{...f} fragment f on Query {" + PER_FIELD + "}", "query_too_large", "aliases"),
    "fragments in fragments": (BOMB, "query_too_large", "fields"),
    "tokens": ("{balance {" + "balance " * 1000 + "}}", "query_too_large", "tokens"),
    "directives": ("{balance {balance " + "@include(if: true) " * 300 + "}}", "query_too_large", "tokens"),
    "few directives": ("{balance {balance " + "@skip(if: false) " * 50 + "}}", "query_invalid", None),
    "fragment cycle": ("{...a} fragment a on Query {...b} fragment b on Query {...a}", "query_invalid", None),
    "itself": ("{...a} fragment a on Query {balance {balance} ...a}", "query_invalid", None),
    "huge int": ("{messages(first: " + "9" * 5000 + ") {nodes {id}}}", "query_invalid", None),
    "long int": ("{messages(first: 99999999999) {nodes {id}}}", "query_invalid", None),
    "half a pair": ('{message(id: "\\ud800") {id}}', "query_invalid", None),
    "no document": ("{", "query_invalid", None),
    "octets": ("\x07\x08", "query_invalid", None),
    "a definition": ("type Query {a: Int}", "query_invalid", None),
    "subscription": ("subscription {balance {balance}}", "query_invalid", None),
    "no such field": ("{secrets {key}}", "query_invalid", None),
    "schema": ("{__schema {types {name}}}", "query_invalid", None),
    "type in a fragment": ('{...a} fragment a on Query {__type(name: "Query") {name}}', "query_invalid", None),
}


async def graphql(api: Api, query: str, variables: Any = None, **headers: str) -> Reply:
    reply = await api.ask("POST", "/graphql", {"query": query, "variables": variables}, **headers)
    assert reply.status == 200, reply.text
    return reply


async def problem(api: Api, query: str, variables: Any = None, **headers: str) -> dict[str, Any]:
    """The problem of the one error of an answer."""
    (error,) = (await graphql(api, query, variables, **headers)).json["errors"]
    assert error["message"] == error["extensions"]["title"]
    found: dict[str, Any] = error["extensions"]
    return found


async def test_it_reads_what_rest_reads(api: Api) -> None:
    later = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)).isoformat()
    sent = (await api.send(client_ref="first", schedule_at=later)).json
    await api.send(text="another")
    rest = (await api.ask("GET", "/v1/messages")).json["messages"]
    told = (await graphql(api, PAGE)).json["data"]["messages"]["nodes"]
    assert [each["id"] for each in told] == [each["id"] for each in rest]
    whole = (await api.ask("GET", f"/v1/messages/{sent['id']}")).json
    one = "query ($id: ID!) {message(id: $id) {id clientRef scheduledAt price {amount} timeline {at event}}}"
    message = (await graphql(api, one, {"id": sent["id"]})).json["data"]["message"]
    assert message["timeline"] == [{"at": each["at"], "event": each["event"]} for each in whole["timeline"]]
    assert (message["clientRef"], message["scheduledAt"]) == ("first", whole["scheduled_at"])
    assert message["price"] == {"amount": whole["price"]["amount"]}
    assert told[1]["timeline"] == message["timeline"]
    balance = (await graphql(api, "{balance {balance creditLimit available currency}}")).json["data"]["balance"]
    rest = (await api.ask("GET", "/v1/balance")).json
    assert balance == {"creditLimit": rest.pop("credit_limit"), **rest}
    ask = '{lookups(numbers: ["+22997000001", "x"]) {valid numbers {given e164 invalid {code}}}}'
    numbers = (await graphql(api, ask)).json["data"]["lookups"]["numbers"]
    assert (numbers[0]["e164"], numbers[1]["invalid"]) == (HANDSET, {"code": "not_digits"})


async def test_a_cursor_goes_on_where_rest_stopped_and_the_other_way(api: Api) -> None:
    ids = [(await api.send()).json["id"] for _ in range(3)][::-1]
    first = (await api.ask("GET", "/v1/messages?limit=1")).json
    page = "query ($after: String) {messages(first: 1, after: $after) {nodes {id} pageInfo {endCursor hasNextPage}}}"
    second = (await graphql(api, page, {"after": first["next_cursor"]})).json["data"]["messages"]
    assert second["pageInfo"]["hasNextPage"] is True
    third = (await api.ask("GET", f"/v1/messages?limit=1&cursor={second['pageInfo']['endCursor']}")).json
    assert [first["messages"][0]["id"], second["nodes"][0]["id"], third["messages"][0]["id"]] == ids
    wrong = await problem(api, page, {"after": "x"})
    assert wrong["errors"] == [{"loc": ["arguments", "after"], **{k: wrong["errors"][0][k] for k in ("type", "msg")}}]
    assert (await problem(api, "{messages(first: 201) {nodes {id}}}"))["errors"][0]["loc"] == ["arguments", "first"]


async def test_timelines_of_a_page_are_one_statement(api: Api) -> None:
    """Two statements, the page and its events, however many messages there are."""
    statements: list[str] = []
    borrow = api.service.reader.run

    async def counted(query: Any) -> Any:
        async def logged(connection: asyncpg.Connection) -> Any:
            with connection.query_logger(lambda record: statements.append(record.query)):
                return await query(connection)

        return await borrow(logged)

    for count in (1, 20):
        while len((await graphql(api, PAGE)).json["data"]["messages"]["nodes"]) < count:
            await api.send()
        api.service.reader.run = counted  # type: ignore[method-assign]  # it counts and asks as before
        statements.clear()
        assert len((await graphql(api, PAGE)).json["data"]["messages"]["nodes"]) == count
        api.service.reader.run = borrow  # type: ignore[method-assign]
        of_page = [each for each in statements if "FROM message" in each]  # jobs ask, too
        assert len(of_page) == 2, statements


async def test_each_field_needs_its_scope_and_counts_against_the_key(api: Api) -> None:
    await api.send()
    api.key = await api.give_key(scopes=["money:read"])
    both = (await graphql(api, "{balance {balance} messages {nodes {id}}}")).json
    assert (both["data"]["balance"], both["data"]["messages"]) == ({"balance": "999"}, None)
    assert (both["errors"][0]["path"], both["errors"][0]["extensions"]["scope"]) == (["messages"], "messages:read")
    api.key = await api.give_key(scopes=["messages:read"])
    assert (await problem(api, SEND))["scope"] == "messages:send"
    api.key = await api.give_key(requests_per_s=1)
    many = (await graphql(api, "{" + " ".join(f"a{n}: balance {{balance}}" for n in range(9)) + "}")).json
    codes = {each["extensions"]["code"] for each in many["errors"]}
    assert (codes, many["data"]["a0"]) == ({"throttled"}, {"balance": "999"})
    other = await facts.add_account(api.ground.connection, "other", 0, None)
    api.key = await api.give_key(account_id=other)
    await eventually(lambda: other in api.service.book.accounts, 10, "the account is known")
    assert (await graphql(api, PAGE)).json["data"]["messages"]["nodes"] == []
    assert (await api.ask("POST", "/graphql", {"query": PAGE}, Authorization="Bearer pas_x")).status == 401


async def test_operators_ask_what_their_role_may_and_nothing_of_customers(api: Api) -> None:
    audit = "{adminAudit(first: 2) {nodes {seq action before} pageInfo {hasNextPage}} balance {balance}}"
    told = (await graphql(await api.sign_in("superadmin"), audit)).json
    assert told["data"]["adminAudit"] == {"nodes": [], "pageInfo": {"hasNextPage": False}}
    assert [each["extensions"]["code"] for each in told["errors"]] == ["scope_missing"]
    support = (await graphql(await api.sign_in("support"), audit)).json["errors"]
    assert {each["extensions"].get("permission") for each in support} == {"audit.read", None}
    asked = (await graphql(api, audit)).json
    assert asked["data"] == {"adminAudit": None, "balance": {"balance": "1000"}}
    assert [each["extensions"]["code"] for each in asked["errors"]] == ["permission_missing"]
    desk = await api.sign_in("superadmin")
    cookie = {"Authorization": "", "Cookie": f"passerelle_session={desk.key}"}
    assert (await api.ask("POST", "/graphql", {"query": audit}, **cookie)).json["code"] == "csrf_token_missing"


def everything(of: GraphQLOutputType) -> str:
    """The selection of all that a type has; "" of a leaf."""
    named = get_named_type(of)
    if not isinstance(named, GraphQLObjectType):
        return ""
    return "{" + " ".join(f"{name} {everything(field.type)}" for name, field in named.fields.items()) + "}"


async def test_every_list_can_be_asked_whole_by_whom_it_is_for(api: Api) -> None:
    """Each type of REST has its form here, also where a model leaves something out."""
    await api.send()
    hook = {"url": "https://hooks.example.com/x", "events": ["message.delivered"]}
    order = {"credits": "10", "contact_name": "A", "phone": HANDSET}
    name = {"name": "OUIDAH", "purpose": "x", "sample": "x"}
    for path, body in (("webhooks", hook), ("credit-orders", order), ("sender-names", name)):
        assert (await api.ask("POST", f"/v1/{path}", body)).status == 201
    desk = await api.sign_in("superadmin")
    an_hour_ago = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)).isoformat()
    query = build_schema(str(execution.schema())).query_type
    assert query is not None
    asked = {
        name: field for name, field in query.fields.items() if not any(map(is_required_argument, field.args.values()))
    }
    for name, field in asked.items():
        by = desk if name.startswith("admin") else api
        bounds = f'(since: "{an_hour_ago}")' if name == "adminMessages" else ""  # without them the search has no end
        told = (await graphql(by, f"{{{name}{bounds} {everything(field.type)}}}")).json
        assert "errors" not in told, (name, told["errors"])
        if "Connection" in str(field.type) and name not in EMPTY:
            assert told["data"][name]["nodes"], name


async def test_a_message_is_sent_once_under_its_key_whatever_the_door(api: Api) -> None:
    first = (await graphql(api, SEND, {"key": "k"})).json["data"]["sendMessage"]
    again = (await graphql(api, SEND, {"key": "k"})).json["data"]["sendMessage"]
    rest = await api.send(headers={"Idempotency_Key": "k"})
    assert first == again == {name: rest.json[name] for name in ("id", "parts", "credits")}
    assert await api.ground.count("messages") == 1
    refused = await problem(api, SEND, {"from": "NOBODY"}, Accept_Language="fr")
    assert (refused["code"], refused["title"][:9]) == ("sender_not_approved", "Le compte")
    assert (await problem(api, SEND, {"key": "k" * 256}))["errors"][0]["type"] == "length"
    assert (await problem(api, SEND.replace("hello", "a\\u0000")))["errors"][0]["type"] == "nul"
    assert await api.ground.count("messages") == 1


async def test_no_document_passes_a_limit_or_becomes_a_fault(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    for name, (query, code, limit) in HOSTILE.items():
        reply = await graphql(api, query)
        assert "data" not in reply.json, name
        found = reply.json["errors"][0]["extensions"]
        assert (found["code"], found.get("limit")) == (code, limit), (name, reply.text)
    lists = "{" + " ".join(f"a{n}: messages(first: 200) {{nodes {{id}}}}" for n in range(6)) + "}"
    assert (await problem(api, lists))["limit"] == "nodes"
    huge = await problem(api, "query ($n: Int) {messages(first: $n) {nodes {id}}}", {"n": 10**30})
    assert huge["code"] == "query_invalid"
    assert (await problem(api, "query ($n: Int!) {messages(first: $n) {nodes {id}}}"))["code"] == "query_invalid"
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_only_one_document_by_post_in_json_is_read(api: Api) -> None:
    ask = {"query": SEND}
    assert (await api.ask("GET", "/graphql?query={balance{balance}}")).json["code"] == "method_not_allowed"
    assert (await api.ask("POST", "/graphql", [ask, ask])).json["code"] == "invalid_request"
    for media_type in ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain"):
        reply = await api.ask("POST", "/graphql", b'{"query": "{balance {balance}}"}', Content_Type=media_type)
        assert (reply.status, reply.json["code"]) == (415, "not_a_json_request")
    assert (await api.ask("POST", "/graphql", {"query": "x" * 10_001})).status == 400
    assert (await api.ask("POST", "/graphql", {"query": "{a\0}"})).json["errors"][0]["type"] == "nul"
    two = {"query": "query a {balance {balance}} query b {balance {currency}}", "operationName": "b"}
    assert (await api.ask("POST", "/graphql", two)).json["data"] == {"balance": {"currency": "credit"}}
    assert (await api.ask("POST", "/graphql", two | {"operationName": "c"})).json["errors"]
    assert await api.ground.count("messages") == 0


async def test_a_fault_is_told_by_its_code_alone(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await api.send()
    monkeypatch.setattr(api.service, "cursors", None)  # a fault of ours
    reply = await graphql(api, "{messages(first: 1) {nodes {id}} balance {balance}}")
    (error,) = reply.json["errors"]
    assert error["extensions"]["code"] == "internal_fault"
    assert "NoneType" not in reply.text
    assert reply.json["data"]["balance"] == {"balance": "999"}
    monkeypatch.setattr(execution, "LONGEST_S", 0.0)
    late = await api.ask("POST", "/graphql", {"query": "{balance {balance}}"})
    assert (late.status, late.json["code"]) == (503, "overloaded")
    assert (await graphql(api, SEND)).json["data"]["sendMessage"]["parts"] == 1, "what sends is not cut off"


async def test_the_schema_tells_itself_where_that_is_allowed(ground: Ground) -> None:
    await ground.connection.execute(NODE_LIVES)
    async with running_api(ground, api_configuration(ground, graphql_introspection=True)) as api:
        told = (await graphql(api, get_introspection_query())).json["data"]["__schema"]
        fields = next(each["fields"] for each in told["types"] if each["name"] == "Query")
        assert len(fields) == len(QUERIES)
        deeper = "{__schema {types {fields {type {fields {type {fields {type {fields {name}}}}}}}}}}"
        assert (await problem(api, deeper))["code"] == "query_invalid"
        written = (await api.ask("GET", "/graphql/schema", Authorization="")).text
        assert all(f"  {field['name']}" in written for field in fields)


def test_what_postgresql_says_when_it_is_away_stays_inside() -> None:
    fault = GraphQLError("x", path=["balance"], original_error=NotCommitted("secret"))
    assert execution._problem_of(fault, None).code == "database_away"  # type: ignore[arg-type]  # not asked


def test_a_document_is_measured_with_its_fragments_spread_out() -> None:
    assert limits.measure(parse(BOMB)).fields == 2**10
    assert limits.measure(parse("{a {b {c}} ...f} fragment f on Query {x: a {b}}")) == limits.Size(3, 5, 1, False)
