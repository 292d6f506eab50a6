"""Number analysis as customers ask for it and read it: a few numbers at once, files of them as jobs.

Words and limits here are the API's: OpenAPI is made from these types.
What must not enter: the analysis (telecom.number_analysis), how a file is read (gateway.lookups).
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from admin_api.models_messages import Limit
from telecom.numbers import NumberFault, NumberKind

MOST_NUMBERS: Final = 1000  # compatibility page, section 2, as for messages

Given = Annotated[str, Meta(max_length=64, description="As people write it: +229 01 97 00 00 00, 0022997000000.")]
Region = Annotated[str, Meta(pattern="^[A-Za-z]{2}$", description="Whose national numbers are meant: ISO 3166.")]
JobStatus = Literal["waiting", "running", "done", "failed", "cancelled"]


class AskLookup(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One number, or several."""

    numbers: Given | Annotated[list[Given], Meta(min_length=1, max_length=MOST_NUMBERS)]
    country: Region | None = None


class OperatorOf(msgspec.Struct, omit_defaults=True):
    """To whom the range was given. source: this gateway's table, or the public plans. portable: may have moved."""

    name: str
    source: Literal["own", "plan"]
    portable: bool
    mcc: str | None = None
    mnc: str | None = None


class MigratedFrom(msgspec.Struct):
    """The number of the old plan that was given, and since when the new one holds."""

    number: str
    since: str


class NoNumber(msgspec.Struct):
    """Why it is no number."""

    code: NumberFault
    detail: str


class LookedUp(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What one number tells. invalid: in place of everything else where it is none."""

    given: str
    valid: bool
    e164: str | None = None
    country: str | None = None
    country_code: int | None = None
    kind: NumberKind | None = msgspec.field(name="type", default=None)
    operator: OperatorOf | None = None
    time_zones: list[str] = []
    national: str | None = None
    international: str | None = None
    migrated_from: MigratedFrom | None = None
    invalid: NoNumber | None = None


class Lookups(msgspec.Struct):
    """What became of each, in the order asked."""

    valid: int
    invalid: int
    numbers: list[LookedUp]


class AskJob(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How a file is meant. column: its heading or its place from 1 on; absent: it is found."""

    column: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    country: Region | None = None
    file_name: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class JobFault(msgspec.Struct):
    """Why a file was not analysed."""

    code: str
    detail: str
    remedy: str


class LookupJob(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A file and how far it is. progress: 0 to 100. result: where its CSV is, once it is done."""

    id: str
    status: JobStatus
    file_name: str
    octets: int
    progress: float
    rows: int
    valid: int
    invalid: int
    duplicates: int
    migrated: int
    created_at: str
    started_at: str | None = None
    finished_at: str | None = None
    result: str | None = None
    failure: JobFault | None = None


class ListJobs(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which jobs, newest first."""

    cursor: str | None = None
    limit: Limit = 50


class LookupJobs(msgspec.Struct):
    """A page. next_cursor null: the end."""

    jobs: list[LookupJob]
    next_cursor: str | None
