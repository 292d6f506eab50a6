"""Who is signed in: a session's token becomes an operator, or a problem; and the proof of a password.

A session is a row, its token a cookie (with a CSRF token for what changes something) or a Bearer token for scripts.
Source: RFC 6265bis (SameSite, __Host-), RFC 6750. A session is looked up for each request: ended, it is so at once.
What must not enter: what a role may do (roles.py), the routes of signing in (signing_in.py).
"""

from __future__ import annotations

import datetime
import hmac
from typing import Final

import msgspec
from aiohttp import web

from admin_api.languages import Words
from admin_api.login_pauses import LoginPauses
from admin_api.problems import Problem
from admin_api.roles import ROLES
from admin_api.writer import Writer
from gateway.daemon.configuration_schema import AdminApi
from gateway.ingress.credentials import Credentials
from gateway.ingress.password_process import PasswordsAway
from gateway.storage import users
from gateway.storage.users import LoginRow, SessionRow

COOKIE: Final = "passerelle_session"
HOST_COOKIE: Final = "__Host-passerelle_session"  # RFC 6265bis 4.1.3.2: Secure, this host's own
CSRF_HEADER: Final = "X-CSRF-Token"
SAFE: Final = frozenset(("GET", "HEAD", "OPTIONS"))  # RFC 9110 9.2.1
STALE_S: Final = 30.0  # chosen: how exact it is known when somebody was there last
LONGEST_TOKEN: Final = 128  # chosen: characters
MOST_PROOFS: Final = 20  # chosen: passwords that wait for their proof, 0.1 s each


class Operator(msgspec.Struct, frozen=True):
    """Who asks, signed in. account_id: a reseller's account, below which he works; csrf_token: "" of a Bearer token."""

    user_id: int
    name: str
    role: str
    permissions: frozenset[str]
    account_id: int | None
    session_id: int
    language: str
    must_change_password: bool
    has_totp: bool
    expires_at: datetime.datetime
    csrf_token: str


class Cookie(msgspec.Struct, frozen=True):
    """A cookie to be set; "" takes it away."""

    name: str
    value: str
    secure: bool
    max_age_s: int


class Sessions:
    """Proves sessions and passwords. Raises NotCommitted where PostgreSQL is away."""

    def __init__(self, settings: AdminApi, secret: bytes, writer: Writer) -> None:
        self.settings = settings.operators
        self.secret = secret
        self.pauses = LoginPauses()
        self._secure = settings.tls is not None or settings.operators.secure_cookies
        self._name = HOST_COOKIE if self._secure else COOKIE
        self._writer = writer
        self._credentials = Credentials()
        self._proofs = 0

    async def prove(self, request: web.Request) -> Operator | Problem:
        """Who asks. A cookie counts for a request that changes something only with its CSRF token."""
        token, from_cookie = self._token(request)
        if not token.startswith(f"{users.SESSION_MARK}_") or len(token) > LONGEST_TOKEN:
            return Problem("not_signed_in")
        token_hash = users.hash_token(self.secret, token)
        row = await self._writer.read(lambda c: users.find_session(c, token_hash, STALE_S))
        if row is None:
            return Problem("not_signed_in")
        csrf_token = self.csrf_token(token)
        if from_cookie and request.method not in SAFE:
            given = request.headers.get(CSRF_HEADER, "")
            if not hmac.compare_digest(given.encode("utf-8", "replace"), csrf_token.encode()):
                return Problem("csrf_token_missing")
        if row.is_stale:
            session_id = row.session_id
            await self._writer.read(lambda c: users.touch_session(c, session_id))
        return operator_of(row, csrf_token if from_cookie else "")

    def is_brought_by(self, request: web.Request) -> bool:
        """Whether a request that may be anybody's comes with a session, and not with a key."""
        return self._token(request)[0].startswith(f"{users.SESSION_MARK}_")

    def _token(self, request: web.Request) -> tuple[str, bool]:
        """The session's token, and whether a cookie carried it."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else ""
        return (token, False) if token else (request.cookies.get(self._name, ""), True)

    def csrf_token(self, token: str) -> str:
        """The word that belongs to a session's cookie: nobody makes it who cannot read our answers."""
        return users.keyed_hash(self.secret, b"csrf", token).hex()

    def readiness(self, operator: Operator) -> Problem | None:
        """What he must do before anything else."""
        if operator.must_change_password:
            return Problem("password_change_needed")
        if operator.role in self.settings.second_factor_for and not operator.has_totp:
            return Problem("second_factor_needed")
        return None

    async def prove_password(self, row: LoginRow | None, password: str, now_ms: int) -> bool | Problem:
        """Whether it is this user's; nobody's password (None) takes as long as a wrong one."""
        if self._proofs >= MOST_PROOFS:
            return Problem("overloaded")
        self._proofs += 1
        try:
            return await self._credentials.prove(row, password, now_ms) is not None
        except PasswordsAway:
            return Problem("overloaded")
        finally:
            self._proofs -= 1

    def cookie(self, token: str) -> Cookie:
        """The cookie of a session; "" ends it."""
        return Cookie(self._name, token, self._secure, self.settings.longest_h * 3600 if token else 0)

    def close(self) -> None:
        """End the process that proves passwords."""
        self._credentials.close()


def operator_of(row: SessionRow, csrf_token: str) -> Operator:
    """A session's user as resources see him."""
    return Operator(
        user_id=row.user_id,
        name=row.name,
        role=row.role,
        permissions=ROLES[row.role],
        account_id=row.account_id,
        session_id=row.session_id,
        language=row.language,
        must_change_password=row.must_change_password,
        has_totp=row.has_totp,
        expires_at=row.expires_at,
        csrf_token=csrf_token,
    )


def permission_missing(permission: str) -> Problem:
    """The problem of a role without a permission."""
    words = Words(f"It needs the permission {permission}.", f"Il faut la permission {permission}.")
    return Problem("permission_missing", words, more={"permission": permission})
