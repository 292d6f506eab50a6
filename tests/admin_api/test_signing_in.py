"""Operators sign in: what proves them, what a session is, what is refused at which cost, what they must do first.

What must not enter: what roles may do (test_access.py), others' users (test_users.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import argon2
import pyotp
import pytest_asyncio

from admin_api.sessions import COOKIE, HOST_COOKIE, Sessions
from gateway.daemon.configuration_schema import AdminApi, AdminApiOperators
from gateway.storage import users
from gateway.storage.audit import check_chain
from tests.admin_api.conftest import Api, Reply, api_configuration, running_api
from tests.gateway.conftest import Ground

PASSWORD = "a horse and 12 stones"
HASH = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)  # any cost proves the same
WHO = "ann@example.com"


@pytest_asyncio.fixture
async def api(ground: Ground) -> AsyncIterator[Api]:
    """An API where a superadmin needs a second factor; ann is one, and chose her password before."""
    configuration = api_configuration(ground, operators=AdminApiOperators())
    async with running_api(ground, configuration) as living:
        await add(living, WHO, "operator")
        yield dataclasses.replace(living, key="")


async def add(api: Api, name: str, role: str, must_change: bool = False) -> int:
    user_id = await users.add_user(api.ground.connection, users.NewUser(name=name, role=role, password_hash=HASH))
    assert user_id is not None
    await users.set_password(api.ground.connection, user_id, HASH, must_change)
    return user_id


async def sign_in(api: Api, name: str = WHO, password: str = PASSWORD, **more: Any) -> Reply:
    return await api.ask("POST", "/v1/admin/session", {"name": name, "password": password, **more}, Cookie="")


async def signed_in(api: Api, **given: Any) -> Api:
    """The same API, asked with the Bearer token of a new session."""
    reply = await sign_in(api, **given)
    assert reply.status == 201, reply.text
    api.http.cookie_jar.clear()
    return dataclasses.replace(api, key=reply.json["token"])


async def test_a_cookie_serves_what_changes_something_only_beside_its_csrf_token(api: Api) -> None:
    reply = await sign_in(api, name=" Ann@Example.com")

    cookie = reply.headers["Set-Cookie"]
    assert all(f"; {each}" in cookie for each in ("HttpOnly", "SameSite=Strict", "Path=/"))
    assert "Secure" not in cookie
    kept = {"Cookie": f"{COOKIE}={reply.json['token']}"}
    assert (await api.ask("GET", "/v1/admin/session", **kept)).json["name"] == WHO
    for token in ("", "0" * 64, "é"):
        refused = await api.ask("DELETE", "/v1/admin/session", X_CSRF_Token=token, **kept)
        assert (refused.status, refused.json["code"]) == (403, "csrf_token_missing")
    ended = await api.ask("DELETE", "/v1/admin/session", X_CSRF_Token=reply.json["csrf_token"], **kept)
    assert (ended.status, ended.json) == (200, {"ended": 1})
    assert (await api.ask("GET", "/v1/admin/session", **kept)).json["code"] == "not_signed_in"


async def test_under_tls_the_cookie_is_this_hosts_own_and_secure(api: Api) -> None:
    there = api.service.sessions
    settings = AdminApi(operators=AdminApiOperators(secure_cookies=True, longest_h=2))
    cookie = Sessions(settings, there.secret, api.service.writer).cookie("pss_x")
    assert (cookie.name, cookie.secure, cookie.max_age_s) == (HOST_COOKIE, True, 7200)
    assert (there.cookie("pss_x").secure, there.cookie("").max_age_s) == (False, 0)


async def test_a_bearer_token_needs_no_csrf_token_and_no_other_login_serves(api: Api) -> None:
    ann = await signed_in(api)

    assert (await ann.ask("GET", "/v1/admin/sessions")).json["sessions"][0]["this"] is True
    assert (await ann.ask("DELETE", "/v1/admin/session")).status == 200
    key = await api.give_key()
    for word in ("", "Bearer x", f"Bearer {key}", f"Bearer {users.make_token()}", f"Bearer {ann.key}"):
        assert (await api.ask("GET", "/v1/admin/session", Authorization=word)).json["code"] == "not_signed_in"
    other = await signed_in(api)
    assert (await other.ask("GET", "/v1/balance")).json["code"] == "unauthenticated"


async def test_whoever_is_refused_learns_nothing_and_waits_ever_longer(api: Api) -> None:
    await add(api, "gone", "operator")
    await api.ground.connection.execute("UPDATE users SET state = 'suspended' WHERE name = 'gone'")

    told = []
    for name, password in (("nobody", PASSWORD), (WHO, "wrong"), ("gone", PASSWORD)):
        refused = await sign_in(api, name, password)
        refused.json.pop("request_id")
        told.append((refused.status, refused.json))
    assert told[0][1]["code"] == "login_refused"
    assert told == [told[0]] * 3
    for _ in range(12):  # a slow machine may take longer for a proof than the first pauses last, never than the later
        waits = await sign_in(api, "nobody", PASSWORD)
        if waits.status != 401:
            break
    assert (waits.status, waits.json["code"]) == (429, "too_many_tries")
    assert int(waits.headers["Retry-After"]) >= 1
    assert (await sign_in(api)).status == 201  # another name from the same address


async def test_a_session_ends_by_itself_and_when_somebody_ends_it(api: Api) -> None:
    first, second = await signed_in(api), await signed_in(api)
    (mine,) = [each for each in (await second.ask("GET", "/v1/admin/sessions")).json["sessions"] if not each["this"]]

    assert (await second.ask("DELETE", f"/v1/admin/sessions/{mine['id']}")).status == 200
    assert (await first.ask("GET", "/v1/admin/session")).status == 401
    assert (await second.ask("DELETE", f"/v1/admin/sessions/{mine['id']}")).status == 404
    assert (await second.ask("DELETE", "/v1/admin/sessions/x")).status == 404
    for change in ("seen_at = now() - interval '31 minutes'", "expires_at = now(), seen_at = now()"):
        third = await signed_in(api)
        await api.ground.connection.execute(f"UPDATE user_sessions SET {change} WHERE ended_at IS NULL")
        assert (await third.ask("GET", "/v1/admin/session")).status == 401


async def test_a_default_password_is_changed_before_anything_else(api: Api) -> None:
    await add(api, "new", "operator", must_change=True)
    new, elsewhere = await signed_in(api, name="new"), await signed_in(api, name="new")

    assert (await new.ask("GET", "/v1/admin/session")).json["must"] == "change_password"
    for path in ("/v1/admin/sessions", "/v1/admin/audit"):
        assert (await new.ask("GET", path)).status == 403
    assert (await new.ask("GET", "/v1/admin/sessions")).json["code"] == "password_change_needed"
    path = "/v1/admin/session/password"
    for words, code in (((PASSWORD, PASSWORD), "password_unfit"), (("wrong", "x" * 20), "login_refused")):
        refused = await new.ask("POST", path, dict(zip(("present", "new"), words, strict=True)))
        assert refused.json["code"] == code
    assert (await new.ask("POST", path, {"present": PASSWORD, "new": "short"})).status == 400
    changed = await new.ask("POST", path, {"present": PASSWORD, "new": "another horse"})
    assert (changed.status, changed.json) == (200, {"ended": 1})
    assert (await new.ask("GET", "/v1/admin/sessions")).status == 200
    assert (await elsewhere.ask("GET", "/v1/admin/session")).status == 401
    assert (await sign_in(api, "new")).json["code"] == "login_refused"


async def test_a_second_factor_is_enrolled_asked_for_and_used_once(api: Api) -> None:
    await add(api, "root", "superadmin")
    root = await signed_in(api, name="root")
    assert (await root.ask("GET", "/v1/admin/audit")).json["code"] == "second_factor_needed"
    proposed = await root.ask("POST", "/v1/admin/session/totp", {"password": PASSWORD})
    app = pyotp.TOTP(proposed.json["secret"])
    assert proposed.json["secret"] in proposed.json["uri"]
    confirmed = await root.ask("POST", "/v1/admin/session/totp/confirm", {"code": app.now()})

    codes = confirmed.json["recovery_codes"]
    assert (confirmed.status, len(codes)) == (200, 10)
    assert (await root.ask("GET", "/v1/admin/audit")).status == 200
    assert (await sign_in(api, "root")).json["code"] == "code_needed"
    used = await api.ground.value("SELECT totp_last_step FROM users WHERE name = 'root'")
    assert (await sign_in(api, "root", code=app.at(used * 30))).json["code"] == "login_refused"
    assert (await sign_in(api, "root", code=codes[0].upper().replace("-", " "))).status == 201
    assert (await sign_in(api, "root", code=codes[0])).json["code"] == "login_refused"
    words = {"password": PASSWORD, "code": codes[1]}
    assert (await root.ask("POST", "/v1/admin/session/totp/remove", words)).json["must"] == "enrol_second_factor"
    assert (await sign_in(api, "root", code="123456")).status == 201
    kept = await api.ground.connection.fetch("SELECT before || after AS facts FROM audit")
    assert not [row for row in kept if app.secret in row["facts"] or codes[2] in row["facts"]]
    assert (await check_chain(api.ground.connection)).faults == []
