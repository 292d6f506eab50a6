"""The pages that the process serves itself: whole, in both languages, for browsers without script, hands without mouse.

What belongs here: /docs and /errors as HTML.
What must not enter: the frame of answers (test_frame.py), what routes do.
"""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from admin_api import docs_page, error_catalogue
from admin_api.languages import LANGUAGES, Language
from admin_api.problems import ERRORS, PROBLEMS, Problem, members

VOID = {"meta", "br"}
PAGES = {"/docs": docs_page.page, ERRORS: error_catalogue.page}


class Reader(HTMLParser):
    """What a browser finds: ids, links, elements and their attributes; every element must be closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.elements: set[str] = set()
        self.attributes: dict[str, str | None] = {}
        self._open: list[str] = []
        self.feed(page)
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        given = dict(attrs)
        self.attributes |= given
        self.ids += [each for each in [given.get("id")] if each]
        self.links += [each for each in [given.get("href")] if each]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def read(path: str, language: Language) -> Reader:
    octets, media_type = PAGES[path](language)
    assert media_type == "text/html"
    return Reader(octets.decode())


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_leads_by_keyboard_to_all_it_names_and_carries_no_script(path: str, language: Language) -> None:
    page = read(path, language)

    assert len(set(page.ids)) == len(page.ids)
    assert {"main", "nav", "header", "title"} <= page.elements
    assert page.links[0] == "#content", "the first stop leads past the menu"
    assert not page.elements & {"script", "link", "img", "iframe", "form", "object"}
    assert not [name for name in page.attributes if name.startswith("on") or name in ("src", "style")]
    ids = {each: set(read(each, language).ids) for each in PAGES}
    for link in page.links:
        address, _, fragment = link.partition("#")
        target = address.partition("?")[0] or path
        assert target in {*PAGES, "/openapi.json"}, link
        assert not fragment or fragment in ids[target], link


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_type_of_every_problem_leads_to_its_meaning_and_remedy(language: Language) -> None:
    page, written = read(ERRORS, language), PAGES[ERRORS](language)[0].decode()
    for code, kind in PROBLEMS.items():
        assert members(Problem(code), language)["type"] == f"{ERRORS}#{code}"
        assert code in page.ids
        assert kind.title.say(language).split("'")[0].split("`")[0] in written
