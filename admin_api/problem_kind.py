"""One row of the table of problems, as every file of such rows writes it.

Source: RFC 9457.
What must not enter: rows (problems.py and its neighbours).
"""

from __future__ import annotations

import msgspec

from admin_api.languages import Words


class ProblemKind(msgspec.Struct, frozen=True):
    """One row. permanent: the same request fails again until somebody changes something. retry_after_s: 0 for none."""

    code: str
    status: int
    title: Words
    remedy: Words
    permanent: bool = True
    retry_after_s: int = 0
