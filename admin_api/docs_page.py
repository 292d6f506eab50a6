"""/docs: every address and model on one page of plain HTML, in both languages, without script or network.

What belongs here: laying out the OpenAPI document for people; problems have a page of their own (error_catalogue.py).
What must not enter: facts of its own.
"""

from __future__ import annotations

import functools
from html import escape
from typing import Any, Final

import msgspec

from admin_api import openapi
from admin_api.html_page import lay_out
from admin_api.languages import Language, Words
from admin_api.problems import ERRORS
from admin_api.route import problems_of
from admin_api.routes import ROUTES

ROUTES_TITLE: Final = Words("Addresses", "Adresses")
MODELS_TITLE: Final = Words("Models", "Modèles")
PROBLEMS_TITLE: Final = Words("Errors and their remedies", "Les erreurs et leurs remèdes")
INTRODUCTION: Final = Words(
    "Send your key as <code>Authorization: Bearer KEY</code>. Faults are told as RFC 9457 has it, all at once, in the "
    "language of <code>Accept-Language</code>.",
    "Envoyez votre clé dans <code>Authorization: Bearer CLÉ</code>. Les erreurs suivent la RFC 9457, toutes à la fois, "
    "dans la langue de <code>Accept-Language</code>.",
)
SCOPE: Final = Words("scope", "droit")
PERMISSION: Final = Words("permission", "permission")


@functools.cache
def page(language: Language) -> tuple[bytes, str]:
    """The page, and its media type."""
    content = [
        f"<p>{INTRODUCTION.say(language)}</p>",
        f"<h2 id='addresses'>{ROUTES_TITLE.say(language)}</h2>",
        *_routes(language),
        f"<h2 id='models'>{MODELS_TITLE.say(language)}</h2>",
        *_models(language),
    ]
    menu = [
        ("#addresses", ROUTES_TITLE.say(language)),
        ("#models", MODELS_TITLE.say(language)),
        (f"{ERRORS}?lang={language}", PROBLEMS_TITLE.say(language)),
        (f"/openapi.json?lang={language}", "OpenAPI 3.1"),
    ]
    return lay_out(openapi.TITLE.say(language), language, "/docs", menu, content), "text/html"


def _routes(language: Language) -> list[str]:
    document = openapi.document(language)
    told = []
    for route in ROUTES:
        operation = document["paths"][route.path][route.method.lower()]
        told.append(
            f"<h3 id='{operation['operationId']}'><span class='m'>{route.method}</span> {escape(route.path)}</h3>"
        )
        needed = (
            f"{(SCOPE if route.scope else PERMISSION).say(language)} <code>{route.scope or route.permission}</code>"
        )
        told.append(f"<p>{escape(route.summary.say(language))} ({needed})</p>")
        models = [operation.get("requestBody"), operation["responses"][str(route.status)]]
        named = [_content_name(each.get("content", {})) for each in models if each]
        told.append(f"<p>{' → '.join(named)}</p>")
        links = ", ".join(f"<a href='{ERRORS}?lang={language}#{code}'>{code}</a>" for code in problems_of(route))
        told.append(f"<p><small>{links}</small></p>")
    return told


def _content_name(content: dict[str, Any]) -> str:
    """The model of a JSON body, else the media types of a file; nothing of an answer without body."""
    if "application/json" in content:
        return _schema_name(content["application/json"]["schema"])
    return " | ".join(f"<code>{escape(media_type)}</code>" for media_type in content) or "<code>-</code>"


def _schema_name(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " | ".join(_schema_name(each) for each in schema["anyOf"])
    name = schema.get("$ref", "").rpartition("/")[2]
    return f"<a href='#{name}'><code>{name}</code></a>" if name else "<code>object</code>"


def _models(language: Language) -> list[str]:
    told = []
    for name, schema in sorted(openapi.document(language)["components"]["schemas"].items()):
        shown = escape(msgspec.json.format(msgspec.json.encode(schema), indent=2).decode())
        told.append(f"<h3 id='{name}'><code>{name}</code></h3><pre tabindex='0'>{shown}</pre>")
    return told
