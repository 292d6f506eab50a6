"""The dress of the pages that the process serves itself: plain HTML, one style, no script, no other host.

Source: the Content-Security-Policy of security_headers.py, which these pages must pass; HTML 5 landmarks, so that a
keyboard and a screen reader find their way. What must not enter: what a page tells.
"""

from __future__ import annotations

from html import escape
from typing import Final

from admin_api.languages import Language, Words

STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
code,pre{font:14px/1.4 ui-monospace,monospace;background:#f3f3f3;border-radius:4px}code{padding:0 .2em}
pre{padding:.8em;overflow:auto}h2{margin-top:2.5rem;border-bottom:1px solid #ccc}h3{margin-top:2rem}
table{border-collapse:collapse;width:100%}
td,th{border:1px solid #ccc;padding:.3em .5em;text-align:left;vertical-align:top}
:focus-visible{outline:3px solid #06c;outline-offset:2px}:target{background:#ffd;color:#222}
.skip:not(:focus){position:absolute;left:-99rem}nav li{display:inline;margin-right:1em}
.m{font-weight:700}@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}code,pre{background:#262626}
a{color:#8bf}:target{background:#443}}
"""
SKIP: Final = Words("To the content", "Aller au contenu")


def lay_out(title: str, language: Language, path: str, menu: list[tuple[str, str]], content: list[str]) -> bytes:
    """The page: its title, the way to the other language, a menu of (address, words), and what it tells."""
    other, words = ("en", "English") if language == "fr" else ("fr", "Français")
    links = [*menu, (f"{path}?lang={other}", words)]
    listed = "".join(f"<li><a href='{escape(address)}'>{escape(each)}</a></li>" for address, each in links)
    return "".join(
        [
            f"<!doctype html><html lang='{language}'><head><meta charset='utf-8'>",
            f"<meta name='viewport' content='width=device-width'><title>{escape(title)}</title>",
            f"<style>{STYLE}</style></head><body><a class='skip' href='#content'>{SKIP.say(language)}</a>",
            f"<header><h1>{escape(title)}</h1><nav><ul>{listed}</ul></nav></header><main id='content' tabindex='-1'>",
            *content,
            "</main></body></html>",
        ]
    ).encode()
