"""Every problem with its remedy, in both languages: the page /errors, which `type` of a problem points to, and
docs/errors.md and docs/errors.fr.md, which `python -m admin_api.error_catalogue` writes.

What belongs here: laying out the table of problems (problems.py). What must not enter: a word about a single problem.
"""

from __future__ import annotations

import functools
from html import escape
from pathlib import Path
from typing import Final

from admin_api.html_page import lay_out
from admin_api.languages import LANGUAGES, Language, Words
from admin_api.problem_kind import ProblemKind
from admin_api.problems import ERRORS, PROBLEMS

FILES: Final[dict[Language, str]] = {"en": "errors.md", "fr": "errors.fr.md"}
TITLE: Final = Words("Errors of the HTTP API", "Erreurs de l'API HTTP")
INTRODUCTION: Final = Words(
    "What cannot be done is answered as RFC 9457 has it: `application/problem+json`, with the `code` of this page, in "
    "the language of `Accept-Language`. A code never changes its meaning. Where `permanent` is false the same request "
    "may succeed later: wait `retry_after` seconds, and repeat it with the same `Idempotency-Key`.",
    "Ce qui est impossible reçoit une réponse selon la RFC 9457 : `application/problem+json`, avec le `code` de cette "
    "page, dans la langue de `Accept-Language`. Un code ne change jamais de sens. Quand `permanent` vaut false, la "
    "même requête peut réussir plus tard : attendez `retry_after` secondes, et répétez-la avec la même "
    "`Idempotency-Key`.",
)
HEADINGS: Final = Words(
    "code|status|what it means|what to do|again", "code|statut|ce que cela veut dire|que faire|répéter"
)
IN_VAIN: Final = Words("in vain", "inutile")
AFTER: Final = Words("after {seconds} s", "après {seconds} s")
DOCS: Final = Words("Addresses and models", "Adresses et modèles")


@functools.cache
def page(language: Language) -> tuple[bytes, str]:
    """/errors, and its media type."""
    headings = "".join(f"<th scope='col'>{each}</th>" for each in HEADINGS.say(language).split("|"))
    rows = [
        f"<tr id='{kind.code}'><th scope='row'><code>{kind.code}</code></th>"
        + "".join(f"<td>{_with_code(each)}</td>" for each in _cells(kind, language))
        + "</tr>"
        for kind in _in_order()
    ]
    table = ["<table><thead><tr>", headings, "</tr></thead><tbody>", *rows, "</tbody></table>"]
    content = [f"<p>{_with_code(INTRODUCTION.say(language))}</p>", *table]
    menu = [(f"/docs?lang={language}", DOCS.say(language))]
    return lay_out(TITLE.say(language), language, ERRORS, menu, content), "text/html"


def markdown(language: Language) -> str:
    """The same as a page of docs/."""
    headings = HEADINGS.say(language).split("|")
    rows = [f"| `{kind.code}` | {' | '.join(_cells(kind, language))} |" for kind in _in_order()]
    table = [f"| {' | '.join(headings)} |", "|---" * len(headings) + "|", *rows]
    return "\n".join([f"# {TITLE.say(language)}", "", INTRODUCTION.say(language), "", *table, ""])


def _in_order() -> list[ProblemKind]:
    return sorted(PROBLEMS.values(), key=lambda kind: kind.code)


def _cells(kind: ProblemKind, language: Language) -> list[str]:
    again = AFTER.say(language, seconds=kind.retry_after_s) if kind.retry_after_s else IN_VAIN.say(language)
    return [str(kind.status), kind.title.say(language), kind.remedy.say(language), again]


def _with_code(sentence: str) -> str:
    """What stands between backticks as code."""
    plain, *rest = escape(sentence).split("`")
    return plain + "".join(f"{'</code>' if place % 2 else '<code>'}{each}" for place, each in enumerate(rest))


if __name__ == "__main__":
    for each in LANGUAGES:
        (Path(__file__).parents[1] / "docs" / FILES[each]).write_text(markdown(each), encoding="utf-8")
