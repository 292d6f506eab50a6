"""`passerelle door-login`: made, listed without passwords, revoked; what cannot be typed or is taken is refused.

What must not enter: what the doors answer (tests/admin_api/doors).
"""

from __future__ import annotations

from tests.gateway.command_line.conftest import Passerelle


def test_a_login_is_made_listed_and_revoked(passerelle: Passerelle) -> None:
    passerelle("account", "add", "acme")
    words = ("door-login", "add", "acme", "rapidpro", "--password-stdin", "--sender", "ACME", "--allow", "127.0.0.0/8")
    assert "rapidpro may send" in passerelle(*words, "--hex-utf8", stdin="s3cret word\n").out
    taken = passerelle(*words, stdin="another\n")
    assert (taken.code, "rapidpro exists" in taken.err) == (1, True)
    (listed,) = passerelle("door-login", "list", "acme", "--json").json
    assert (listed["username"], listed["default_sender"], listed["allow_cidrs"]) == (
        "rapidpro",
        "ACME",
        ["127.0.0.0/8"],
    )
    assert not [name for name in listed if "password" in name]
    assert "émetteur_par_défaut" in passerelle("door-login", "list", "--lang", "fr").out
    assert passerelle("door-login", "revoke", "rapidpro").code == 0
    again = passerelle("door-login", "revoke", "rapidpr")
    assert (again.code, "no living login rapidpr" in again.err) == (1, True)


def test_what_no_client_could_send_is_refused(passerelle: Passerelle) -> None:
    passerelle("account", "add", "acme")
    for username, password in (("x" * 65, "ok\n"), ("ok", "\n"), ("tab\t", "ok\n"), ("ok", "x" * 65 + "\n")):
        refused = passerelle("door-login", "add", "acme", username, "--password-stdin", "--lang", "fr", stdin=password)
        assert (refused.code, "écrire de 1 à 64 octets" in refused.err) == (1, True)
    assert passerelle("door-login", "list", "--json").json == []
