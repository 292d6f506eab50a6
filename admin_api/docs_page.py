"""/docs: every address, model and problem on one page of plain HTML, in both languages, without script or network.

What belongs here: laying out the OpenAPI document and the table of problems for people.
What must not enter: facts of its own.
"""

from __future__ import annotations

import functools
from html import escape
from typing import Any, Final

import msgspec

from admin_api import openapi
from admin_api.languages import Language, Words
from admin_api.problems import PROBLEMS
from admin_api.routes import ROUTES, problems_of

STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
code,pre{font:14px/1.4 ui-monospace,monospace;background:#f3f3f3;border-radius:4px}code{padding:0 .2em}
pre{padding:.8em;overflow:auto}h2{margin-top:2.5rem;border-bottom:1px solid #ccc}h3{margin-top:2rem}
table{border-collapse:collapse;width:100%}
td,th{border:1px solid #ccc;padding:.3em .5em;text-align:left;vertical-align:top}
.m{font-weight:700}@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}code,pre{background:#262626}}
"""
ROUTES_TITLE: Final = Words("Addresses", "Adresses")
MODELS_TITLE: Final = Words("Models", "Modèles")
PROBLEMS_TITLE: Final = Words("Problems", "Problèmes")
INTRODUCTION: Final = Words(
    "Send your key as <code>Authorization: Bearer KEY</code>. Faults are told as RFC 9457 has it, all at once, in the "
    "language of <code>Accept-Language</code>. The same as <a href='/openapi.json'>OpenAPI 3.1</a>. "
    "<a href='/docs?lang=fr'>Français</a>.",
    "Envoyez votre clé dans <code>Authorization: Bearer CLÉ</code>. Les erreurs suivent la RFC 9457, toutes à la fois, "
    "dans la langue de <code>Accept-Language</code>. Le même en <a href='/openapi.json?lang=fr'>OpenAPI 3.1</a>. "
    "<a href='/docs?lang=en'>English</a>.",
)
SCOPE: Final = Words("scope", "droit")
PERMANENT: Final = Words("the same request fails again", "la même requête échouera encore")
TEMPORARY: Final = Words("may succeed later", "peut réussir plus tard")


@functools.cache
def page(language: Language) -> tuple[bytes, str]:
    """The page, and its media type."""
    parts = [
        f"<!doctype html><html lang='{language}'><meta charset='utf-8'>",
        f"<meta name='viewport' content='width=device-width'><title>{openapi.TITLE.say(language)}</title>",
        f"<style>{STYLE}</style><h1>{openapi.TITLE.say(language)}</h1><p>{INTRODUCTION.say(language)}</p>",
        f"<h2 id='addresses'>{ROUTES_TITLE.say(language)}</h2>",
        *_routes(language),
        f"<h2 id='models'>{MODELS_TITLE.say(language)}</h2>",
        *_models(language),
        f"<h2 id='problems'>{PROBLEMS_TITLE.say(language)}</h2>",
        *_problems(language),
        "</html>",
    ]
    return "".join(parts).encode(), "text/html"


def _routes(language: Language) -> list[str]:
    document = openapi.document(language)
    told = []
    for route in ROUTES:
        operation = document["paths"][route.path][route.method.lower()]
        told.append(
            f"<h3 id='{operation['operationId']}'><span class='m'>{route.method}</span> {escape(route.path)}</h3>"
        )
        told.append(f"<p>{escape(route.summary.say(language))} ({SCOPE.say(language)} <code>{route.scope}</code>)</p>")
        models = [operation.get("requestBody"), operation["responses"][str(route.status)]]
        named = [_content_name(each.get("content", {})) for each in models if each]
        told.append(f"<p>{' → '.join(named)}</p>")
        links = ", ".join(f"<a href='#{code}'>{code}</a>" for code in problems_of(route))
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
        told.append(f"<details id='{name}'><summary><code>{name}</code></summary><pre>{shown}</pre></details>")
    return told


def _problems(language: Language) -> list[str]:
    told = ["<table>"]
    for kind in PROBLEMS.values():
        lasting = (PERMANENT if kind.permanent else TEMPORARY).say(language)
        told.append(
            f"<tr id='{kind.code}'><td><code>{kind.code}</code></td><td>{kind.status}</td>"
            f"<td><b>{escape(kind.title.say(language))}</b><br>{escape(kind.remedy.say(language))}<br><small>{lasting}</small>"
        )
    return [*told, "</table>"]
