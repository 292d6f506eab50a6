"""The catalogue of errors is the table of problems, in both languages.

What must not enter: the page of the process (test_pages.py).
"""

from __future__ import annotations

import pytest

from admin_api.error_catalogue import FILES, markdown
from admin_api.languages import LANGUAGES, Language
from tests.docs.pages import ROOT


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_of_the_docs_is_the_table_of_problems(language: Language) -> None:
    written = (ROOT / "docs" / FILES[language]).read_text(encoding="utf-8")
    assert written == markdown(language), ".venv/bin/python -m admin_api.error_catalogue writes it anew"
