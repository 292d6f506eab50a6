"""OpenAPI 3.1, made from the route table and the models: never written by hand, so never wrong.

Source: OpenAPI 3.1.0, JSON Schema 2020-12 (msgspec.json.schema_components makes it).
What must not enter: a fact that no route and no model has.
"""

from __future__ import annotations

import functools
import re
from importlib.metadata import version
from typing import Any, Final

import msgspec

from admin_api.languages import Language, Words
from admin_api.problems import PROBLEMS
from admin_api.roles import OPEN
from admin_api.route import BY_FIELD, Route, problems_of
from admin_api.routes import ROUTES
from admin_api.sessions import COOKIE, CSRF_HEADER

REFS: Final = "#/components/schemas/{name}"
TITLE: Final = Words("Passerelle HTTP API", "API HTTP de Passerelle")
PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "permanent", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "enum": sorted(PROBLEMS)},
        "permanent": {"type": "boolean"},
        "retry_after": {"type": "integer"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["loc", "type", "msg"],
                "properties": {
                    "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "type": {"type": "string"},
                    "msg": {"type": "string"},
                },
            },
        },
    },
}
SCHEMES: Final[dict[str, Any]] = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key."},
    "session": {"type": "http", "scheme": "bearer", "description": "The token of POST /v1/admin/session."},
    "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    "csrf": {"type": "apiKey", "in": "header", "name": CSRF_HEADER},
}
OF_CUSTOMERS: Final[list[dict[str, list[str]]]] = [{"key": []}]
OF_OPERATORS: Final[list[dict[str, list[str]]]] = [{"session": []}, {"cookie": [], "csrf": []}]
STREAM: Final[dict[str, Any]] = {"text/event-stream": {"schema": {"type": "string"}}}
IDEMPOTENCY_HEADER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": 255},
    "description": "The same key gives the same answer for 72 hours, and acts once.",
}

LAST_EVENT_ID: Final = {
    "name": "Last-Event-ID",
    "in": "header",
    "schema": {"type": "string", "maxLength": 256},
    "description": "Go on after this event (HTML standard, 9.2.5).",
}


@functools.cache
def page(language: Language) -> tuple[bytes, str]:
    """The document, and its media type."""
    return msgspec.json.encode(document(language)), "application/json"


def document(language: Language) -> dict[str, Any]:
    """The whole description."""
    models = [m for route in ROUTES for m in (route.body, route.query, *route.answers) if m is not None]
    schemas, components = msgspec.json.schema_components(models, ref_template=REFS)
    by_model: dict[type, Any] = dict(zip(models, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        operation = _operation(route, by_model, components, language)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE.say(language), "version": version("passerelle")},
        "paths": paths,
        "components": {
            "schemas": components | {"Problem": PROBLEM},
            "securitySchemes": SCHEMES,
        },
    }


def _operation(
    route: Route, by_model: dict[type, Any], components: dict[str, Any], language: Language
) -> dict[str, Any]:
    words = re.sub(r"[{}]", "", route.path).strip("/").replace("/", "_").removeprefix("v1_")
    told: dict[str, Any] = {
        "operationId": f"{route.method.lower()}_{words}",
        "summary": route.summary.say(language),
        "tags": [route.group],
        **({"x-scope": route.scope} if route.scope else {"x-permission": route.permission}),
        "security": _security(route),
        "responses": {
            str(route.status): {
                "description": "done",
                "content": STREAM
                if route.gives_stream
                else _file(route)
                if route.gives_file
                else {"application/json": {"schema": _any_of([by_model[each] for each in route.answers])}},
            }
        },
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]
    if route.query is not None:
        parameters += _query_parameters(components[by_model[route.query]["$ref"].rpartition("/")[2]])
    if route.gives_stream:
        parameters.append(LAST_EVENT_ID)
    if route.idempotent:
        parameters.append(IDEMPOTENCY_HEADER)
    if parameters:
        told["parameters"] = parameters
    if route.body is not None:
        content = {"application/json": {"schema": by_model[route.body]}}
        told["requestBody"] = {"required": True, "content": content}
    if route.takes_file:
        told["requestBody"] = {"required": True, "content": _file(route) | _form(route)}
    statuses: dict[int, list[str]] = {}
    for code in problems_of(route):
        statuses.setdefault(PROBLEMS[code].status, []).append(code)
    for status, codes in sorted(statuses.items()):
        schema = {"$ref": REFS.format(name="Problem")}
        told["responses"][str(status)] = {
            "description": ", ".join(codes),
            "content": {"application/problem+json": {"schema": schema}},
        }
    return told


def _file(route: Route) -> dict[str, Any]:
    return {each: {"schema": {"type": "string"}} for each in route.file_types}


def _form(route: Route) -> dict[str, Any]:
    file = {"type": "string", "contentMediaType": ", ".join(route.file_types)}
    return {"multipart/form-data": {"schema": {"type": "object", "properties": {"file": file}}}}


def _security(route: Route) -> list[dict[str, list[str]]]:
    if route.permission == OPEN:
        return []
    of_operators = OF_OPERATORS if route.permission or route.scope == BY_FIELD else []
    return [*(OF_CUSTOMERS if route.scope else []), *of_operators]


def _any_of(schemas: list[Any]) -> Any:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _query_parameters(schema: dict[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _plain(each)}
        for name, each in schema["properties"].items()
    ]


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is absent rather than null."""
    choices = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    return choices[0] if len(choices) == 1 else {k: v for k, v in schema.items() if k != "default" or v is not None}
