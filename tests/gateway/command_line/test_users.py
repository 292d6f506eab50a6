"""`passerelle user` and `passerelle audit`: the first superadmin, help for who lost something, and a log that tells it.

What must not enter: signing in (tests/admin_api).
"""

from __future__ import annotations

import asyncio

import argon2
import asyncpg

from tests.gateway.command_line.conftest import Passerelle

SWAPPED = """
UPDATE audit a SET (at_ms, subject, after, mac) =
    (SELECT b.at_ms, b.subject, b.after, b.mac FROM audit b WHERE b.seq = 6 - a.seq) WHERE seq IN (2, 4)
"""
PHRASE = "a horse and 12 stones\n"


def sql(dsn: str, *queries: str) -> list[asyncpg.Record]:
    """Run them one after the other as the database's owner; the rows of the last one."""

    async def work() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(dsn)
        try:
            for query in queries[:-1]:
                await connection.execute(query)
            return list(await connection.fetch(queries[-1]))
        finally:
            await connection.close()

    return asyncio.run(work())


def test_a_user_is_made_changed_and_never_the_last_superadmin_taken_away(passerelle: Passerelle, database: str) -> None:
    made = passerelle("user", "add", "ann", "--role", "superadmin", "--json").json
    (row,) = sql(database, "SELECT password_hash, must_change_password, language FROM users")
    assert argon2.PasswordHasher().verify(row["password_hash"], made["password"])
    assert (row["must_change_password"], row["language"]) == (True, "fr")
    for words in (("suspend", "ann"), ("set", "ann", "--role", "operator")):
        refused = passerelle("user", *words)
        assert (refused.code, "last superadmin" in refused.err) == (1, True)
    assert passerelle("user", "add", "kofi", "--role", "superadmin", "--password-stdin", stdin=PHRASE).code == 0
    assert passerelle("user", "set", "ann", "--role", "support", "--email", "ann@example.com").code == 0
    assert passerelle("user", "suspend", "ann").code == 0
    shown = {
        row["name"]: (row["role"], row["state"], row["email"]) for row in passerelle("user", "list", "--json").json
    }
    assert shown == {"ann": ("support", "suspended", "ann@example.com"), "kofi": ("superadmin", "active", None)}
    assert passerelle("user", "resume", "ann").code == 0
    assert "second facteur" in passerelle("user", "list", "--lang", "fr").out


def test_who_lost_his_password_or_phone_is_helped_and_signed_out(passerelle: Passerelle, database: str) -> None:
    passerelle("user", "add", "ann", "--role", "operator", "--password-stdin", stdin=PHRASE)
    fields = "user_id, token_hash, address, agent, expires_at, idle_s"
    session = f"INSERT INTO user_sessions ({fields}) VALUES (1, '{{}}', '', '', 'infinity', 600)"
    for words in (("reset-password", "ann"), ("set", "ann", "--no-second-factor")):
        sql(database, "UPDATE users SET totp_secret = 'x'", session.format(words[0]))
        assert passerelle("user", *words).code == 0
        assert sql(database, "SELECT FROM user_sessions WHERE ended_at IS NULL") == []
    assert sql(database, "SELECT totp_secret FROM users")[0][0] == ""


def test_what_cannot_be_is_refused(passerelle: Passerelle) -> None:
    passerelle("account", "add", "acme")
    passerelle("user", "add", "ann", "--role", "operator")
    for words, why in (
        (("add", "Ann", "--role", "operator"), "cannot be the name"),
        (("add", "ann", "--role", "operator"), "exists already"),
        (("add", "bob", "--role", "king"), "role king is unknown"),
        (("add", "bob", "--role", "reseller"), "a reseller has an account"),
        (("add", "bob", "--role", "support", "--account", "acme"), "a reseller has an account"),
        (("add", "bob", "--role", "support", "--language", "de"), "language de is unknown"),
        (("add", "bob", "--role", "support", "--password-stdin"), "too short"),
        (("set", "ann"), "nothing to change"),
        (("set", "anne", "--role", "support"), "did you mean ann?"),
        (("set", "ann", "--account", "acme"), "a reseller has an account"),
    ):
        refused = passerelle("user", *words, stdin="short\n")
        assert (refused.code, why in refused.err) == (1, True), (words, refused.err)
    assert passerelle("user", "add", "bob", "--role", "reseller", "--account", "acme").code == 0


def test_the_log_names_rows_that_were_changed_removed_or_put_elsewhere(passerelle: Passerelle, database: str) -> None:
    assert "0 rows" in passerelle("audit", "verify").out
    for name in ("ann", "bob", "carl", "dora", "eve"):
        passerelle("user", "add", name, "--role", "support")
    sound = passerelle("audit", "verify")
    noted = sound.out.split()[-1]
    assert (sound.code, noted.startswith("5:")) == (0, True)
    assert passerelle("audit", "verify", "--noted", noted).code == 0
    sql(database, "CREATE TABLE kept AS SELECT * FROM audit", "CREATE TABLE kept_head AS SELECT * FROM audit_head")
    restored = (
        "DELETE FROM audit",
        "DELETE FROM audit_head",
        "INSERT INTO audit SELECT * FROM kept",
        "INSERT INTO audit_head SELECT * FROM kept_head",
    )
    for change, told in (
        ("UPDATE audit SET user_name = 'nobody' WHERE seq = 2", ["row 2 was changed"]),
        ("UPDATE audit SET after = replace(after, 'carl', 'karl') WHERE seq = 3", ["row 3 was changed"]),
        ("DELETE FROM audit WHERE seq IN (2, 3)", ["rows 2 to 3 are missing"]),
        ("DELETE FROM audit WHERE seq > 3", ["rows 4 to 5 are missing"]),
        ("UPDATE audit_head SET mac = mac || 'x'", ["the head of the chain"]),
        ("UPDATE audit SET seq = CASE seq WHEN 2 THEN 14 ELSE 12 END WHERE seq IN (2, 4)", ["rows 2 to 2 are missing"]),
        (SWAPPED, ["row 2 was changed", "row 4 was changed"]),
    ):
        sql(database, change, "SELECT")
        found = passerelle("audit", "verify")
        assert found.code == 1
        assert all(each in found.err for each in told), (change, found.err)
        sql(database, *restored)
    assert passerelle("audit", "verify", "--noted", noted).code == 0
    sql(
        database,
        "DELETE FROM audit WHERE seq = 5",
        "UPDATE audit_head SET (seq, mac) = (SELECT seq, mac FROM audit WHERE seq = 4)",
    )
    assert passerelle("audit", "verify").code == 0  # whoever moves the head back is found by what was noted
    assert "rows 5 to 5 are missing" in passerelle("audit", "verify", "--noted", noted).err
    assert "is no NUMBER:MAC" in passerelle("audit", "verify", "--noted", "5").err
