"""TLS towards a carrier, against the simulated one on a socket: whom we bind to, and to whom no password is sent.

smpp-answers, "Client link"; RFC 7469 2.4. What must not enter: SMPP beyond the bind.
"""

from __future__ import annotations

import base64
import logging
import ssl
from pathlib import Path
from typing import Any

import pytest

from gateway.connector import Taken
from gateway.egress.tls_client import TlsFault, load_tls_client, pin_of
from tests.eventually import eventually
from tests.gateway.egress.trunks import WITHIN_S, Open, message
from tests.tls_material import Certificate, make_authority, make_certificate


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def carrier(authority: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("carrier"), authority)


def files(certificate: Certificate) -> dict[str, Any]:
    return {"tls_certificate": str(certificate.certificate), "tls_key": str(certificate.key)}


@pytest.mark.parametrize("pinned", [False, True])
async def test_a_carrier_of_our_authority_and_key_is_bound_to(
    trunk_to: Open, authority: Certificate, carrier: Certificate, pinned: bool
) -> None:
    pins = ("sha256/" + base64.b64encode(bytes(32)).decode(), carrier.pin) if pinned else ()
    trunk = await trunk_to(files(carrier), tls=load_tls_client(authority.certificate, pins=pins))
    trunk.send(message())
    assert isinstance((await trunk.outcomes())[0], Taken)


def refusals(authority: Certificate, carrier: Certificate, folder: Path) -> dict[str, tuple[dict[str, Any], str]]:
    """What TLS is configured with, and the word that the log must have."""
    stranger = make_authority(folder, "stranger")
    return {
        "unknown authority": ({"ca": stranger.certificate}, "tls_ca"),
        "authority of the system": ({"ca": None}, "tls_ca"),
        "another host": ({"ca": authority.certificate, "server_name": "smsc.example"}, "smsc.example"),
        "another key": ({"ca": authority.certificate, "pins": (stranger.pin,)}, carrier.pin),
    }


@pytest.mark.parametrize("why", ["unknown authority", "authority of the system", "another host", "another key"])
async def test_a_carrier_that_is_not_ours_gets_no_bind_and_the_log_names_the_culprit(
    trunk_to: Open,
    authority: Certificate,
    carrier: Certificate,
    why: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    given, culprit = refusals(authority, carrier, tmp_path)[why]
    with caplog.at_level(logging.WARNING, "passerelle.egress"):
        trunk = await trunk_to(files(carrier), bound=False, tls=load_tls_client(**given))

        def named() -> bool:
            return any(culprit in getattr(r, "why", "") for r in caplog.records if r.msg == "carrier_link_down")

        await eventually(named, WITHIN_S, why)
    assert trunk.smsc.statistics.binds == trunk.smsc.statistics.binds_refused == 0
    assert trunk.health["carrier-a"] == "down"


async def test_a_plain_port_is_not_spoken_to_in_the_clear(
    trunk_to: Open, authority: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "passerelle.egress"):
        trunk = await trunk_to(bound=False, tls=load_tls_client(authority.certificate), connect_timeout_s=1.0)
        await eventually(lambda: any(r.msg == "carrier_link_down" for r in caplog.records), WITHIN_S)
    assert trunk.smsc.statistics.binds == trunk.smsc.statistics.binds_refused == 0


def test_the_oldest_version_is_1_2(authority: Certificate) -> None:
    assert load_tls_client(authority.certificate).context.minimum_version.name == "TLSv1_2"


def test_a_pin_is_the_hash_that_openssl_makes(carrier: Certificate, authority: Certificate) -> None:
    for made in (carrier, authority):
        octets = ssl.PEM_cert_to_DER_cert(made.certificate.read_text())
        assert "sha256/" + base64.b64encode(pin_of(octets)).decode() == made.pin


def test_what_is_no_certificate_has_no_pin(carrier: Certificate) -> None:
    octets = ssl.PEM_cert_to_DER_cert(carrier.certificate.read_text())
    for broken in (b"", b"\x30", b"\x30\x82\xff", octets[:40], bytes(50)):
        with pytest.raises(ValueError, match="no certificate"):
            pin_of(broken)


@pytest.mark.parametrize(
    ("given", "culprit"),
    [
        ({"ca": Path("/none/ca.pem")}, "/none/ca.pem"),
        ({"ca": None, "pins": ("sha256/abc",)}, "sha256/abc"),
        ({"ca": None, "certificate": Path("/none/c.pem"), "key": Path("/none/k.pem")}, "/none/c.pem"),
    ],
)
def test_what_cannot_be_used_is_named(given: dict[str, Any], culprit: str) -> None:
    with pytest.raises(TlsFault, match=culprit):
        load_tls_client(**given)
