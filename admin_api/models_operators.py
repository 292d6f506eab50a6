"""Signing in, sessions, users and the audit log, as operators write and read them.

Ids are text, times RFC 3339, as everywhere in the API (models_messages.py).
What belongs here: models and their limits. What must not enter: who may do what (roles.py), rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from admin_api.languages import Words
from admin_api.models_messages import Limit, Time
from admin_api.problems import Fault
from admin_api.reading import NUL

SHORTEST_PASSWORD: Final = 12  # chosen: NIST SP 800-63B asks for 8; these give money
LONGEST_PASSWORD: Final = 128  # chosen
SHORT_PASSWORD_FAULT: Final = Words(
    f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters", f"de {SHORTEST_PASSWORD} à {LONGEST_PASSWORD} caractères"
)

UserName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._@-]{1,63}$", max_length=64)]
GivenName = Annotated[str, Meta(min_length=1, max_length=64)]
Password = Annotated[str, Meta(min_length=1, max_length=LONGEST_PASSWORD)]
NewPassword = Annotated[str, Meta(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]
Code = Annotated[str, Meta(min_length=1, max_length=32)]
Role = Literal["superadmin", "operator", "finance", "reseller", "support", "read_only"]
Id = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,8}$", max_length=9)]
Email = Annotated[str, Meta(pattern=r"^([^@\s\x00]+@[^@\s\x00]+)?$", max_length=254)]
Phone = Annotated[str, Meta(pattern=r"^(\+[0-9]{6,15})?$", max_length=16)]
Cursor = Annotated[str, Meta(max_length=256)]


class SignIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """code: of the second factor, or a recovery code; where the user has one."""

    name: GivenName
    password: Password
    code: Code | None = None

    def more_faults(self) -> Iterator[Fault]:
        """A name is looked up in PostgreSQL."""
        if "\0" in self.name:
            yield Fault(("name",), "nul", NUL)


class SignedIn(msgspec.Struct, kw_only=True):
    """token: what the cookie holds, shown once, for scripts. csrf_token: the header X-CSRF-Token beside the cookie.
    must: what has to be done before anything else is answered.
    """

    name: str
    role: Role
    account_id: str | None
    permissions: list[str]
    language: str
    must: Literal["change_password", "enrol_second_factor"] | None
    second_factor: bool
    expires_at: str
    csrf_token: str | None
    token: str | None = None


class Ended(msgspec.Struct):
    """How many sessions ended."""

    ended: int


class Session(msgspec.Struct, kw_only=True):
    """One of the user's sessions. this: the one that asks."""

    id: str
    address: str
    agent: str
    began_at: str
    seen_at: str
    expires_at: str
    this: bool


class SessionList(msgspec.Struct):
    """All that live."""

    sessions: list[Session]


class ChangePassword(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Every other session of the user ends."""

    present: Password
    new: NewPassword


class EnrolTotp(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Asked with the password: a session left open does not suffice."""

    password: Password


class ProposedTotp(msgspec.Struct):
    """For an authenticator app: uri as a QR code, or the secret typed in. In force once a code confirmed it."""

    secret: str
    uri: str


class ConfirmTotp(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The app's code."""

    code: Code


class RecoveryCodes(msgspec.Struct):
    """Shown once: each serves once in place of a code."""

    recovery_codes: list[str]


class RemoveTotp(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """With the password and a code, or a recovery code."""

    password: Password
    code: Code


class AddUser(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A user. account_id: of a reseller, and of nobody else: he sees and changes the accounts below it."""

    name: UserName
    role: Role
    account_id: Id | None = None
    email: Email = ""
    phone: Phone = ""
    language: Literal["fr", "en"] = "fr"

    def more_faults(self) -> Iterator[Fault]:
        """A reseller has an account."""
        if (self.role == "reseller") != (self.account_id is not None):
            yield Fault(("account_id",), "reseller", OF_RESELLERS)


OF_RESELLERS: Final = Words(
    "a user of role reseller has an account, and nobody else", "un utilisateur de rôle reseller a un compte, lui seul"
)


class ChangeUser(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is absent stays. A suspended user is signed out at once."""

    role: Role | None = None
    account_id: Id | None = None
    email: Email | None = None
    phone: Phone | None = None
    language: Literal["fr", "en"] | None = None
    state: Literal["active", "suspended"] | None = None


class ListUsers(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """By name."""

    cursor: Cursor | None = None
    limit: Limit = 50


class User(msgspec.Struct, kw_only=True):
    """A user. password: shown once, when he is made; he must change it at his first login."""

    id: str
    name: str
    role: str
    account_id: str | None
    email: str
    phone: str
    language: str
    state: str
    must_change_password: bool
    second_factor: bool
    created_at: str
    password: str | None = None


class Users(msgspec.Struct):
    """A page. next_cursor null: the end."""

    users: list[User]
    next_cursor: str | None


class NewUserPassword(msgspec.Struct):
    """Shown once; it must be changed at the next login."""

    password: str


class ListAudit(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which rows, newest first. action: how it begins, like account. or account.suspended."""

    user: Annotated[str, Meta(max_length=64)] | None = None
    action: Annotated[str, Meta(max_length=64)] | None = None
    subject: Annotated[str, Meta(max_length=128)] | None = None
    account_id: Id | None = None
    since: Time | None = None
    until: Time | None = None
    cursor: Cursor | None = None
    limit: Limit = 50

    def more_faults(self) -> Iterator[Fault]:
        """They are compared in PostgreSQL."""
        for name in ("user", "action", "subject"):
            if "\0" in (getattr(self, name) or ""):
                yield Fault((name,), "nul", NUL)


class AuditEntry(msgspec.Struct, kw_only=True):
    """Who did what to what. user_id 0: on the machine's command line."""

    seq: str
    at: str
    user_id: str
    user: str
    role: str
    action: str
    subject: str
    account_id: str | None
    address: str
    request_id: str
    before: Any
    after: Any


class AuditPage(msgspec.Struct):
    """A page. next_cursor null: the end."""

    entries: list[AuditEntry]
    next_cursor: str | None
