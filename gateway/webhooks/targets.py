"""What a customer may give us as a URL: read once at the door, with the word of its first fault and a remedy.

Source: RFC 3986; RFC 6943 3.1.1 (spellings of IPv4 that programs read differently). Pure.
What must not enter: resolving the host: its addresses are checked at each connection (outgoing.py), not here.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from gateway.webhooks.addresses import Network, is_permitted

URL_CHARACTERS: Final = 2_000  # chosen: what every server and proxy takes
FILLED_CHARACTERS: Final = 20_000  # chosen: a template filled with ten parts of text, three characters an octet
PORTS: Final = frozenset({80, 443})  # and from here on:
FIRST_FREE_PORT: Final = 1024  # below it stand services that HTTP could be abused to talk to (mail, ssh)

TargetFault = Literal["url_long", "url_characters", "url_scheme", "url_userinfo", "url_host", "url_port", "url_address"]
REMEDIES: Final[dict[TargetFault, str]] = {
    "url_long": f"write at most {URL_CHARACTERS} characters",
    "url_characters": "write ASCII without spaces and backslashes; percent-encode the rest, hosts as punycode",
    "url_scheme": "begin with https:// or http://",
    "url_userinfo": "leave user:password@ out; put a token into the path or check the signature",
    "url_host": "name a host like hooks.example.com, or an address in its usual spelling",
    "url_port": f"use port 80, 443 or one from {FIRST_FREE_PORT} on",
    "url_address": "name a public address, or have the operator list its network in [webhooks] allow_networks",
}
REMEDIES_FR: Final[dict[TargetFault, str]] = {
    "url_long": f"écrire {URL_CHARACTERS} caractères au plus",
    "url_characters": "écrire en ASCII sans espaces ni barres inverses ; le reste en %XX, les hôtes en punycode",
    "url_scheme": "commencer par https:// ou http://",
    "url_userinfo": "retirer user:password@ ; mettre un jeton dans le chemin ou vérifier la signature",
    "url_host": "nommer un hôte comme hooks.example.com, ou une adresse dans son écriture usuelle",
    "url_port": f"utiliser le port 80, 443 ou un port à partir de {FIRST_FREE_PORT}",
    "url_address": (
        "nommer une adresse publique, ou faire inscrire son réseau par l'opérateur dans [webhooks] allow_networks"
    ),
}
_PRINTABLE: Final = re.compile(
    r"[!-\[\]-~]+"
)  # RFC 3986 2: ASCII without space; without the backslash browsers turn round
_HOST: Final = re.compile(
    r"(?=.{1,253}\.?$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.?", re.I
)
_NUMERIC: Final = re.compile(r"(0x[0-9a-f]*|[0-9]+)$", re.I)  # of the last label: a host that some read as an address


class Target(msgspec.Struct, frozen=True):
    """A URL that may be asked. origin: scheme, host and port, which alone a log may show."""

    url: str
    origin: str
    host: str
    port: int


def read_target(url: str, allowed: Iterable[Network] = (), most: int = URL_CHARACTERS) -> Target | TargetFault:
    """A URL as customers write it, or its first fault. Template gaps like %d may stand in path and query."""
    if len(url) > most:
        return "url_long"
    if not _PRINTABLE.fullmatch(url):
        return "url_characters"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "url_host"
    if parts.scheme not in ("http", "https"):
        return "url_scheme"
    if "@" in parts.netloc:
        return "url_userinfo"
    try:
        port = parts.port
    except ValueError:
        return "url_port"
    if port is None:
        port = 443 if parts.scheme == "https" else 80
    if port not in PORTS and port < FIRST_FREE_PORT:
        return "url_port"
    host = parts.hostname or ""
    fault = _host_fault(host, "[" in parts.netloc, allowed)
    return fault or Target(url, f"{parts.scheme}://{parts.netloc.lower()}", host, port)


def _host_fault(host: str, in_brackets: bool, allowed: Iterable[Network]) -> TargetFault | None:
    if in_brackets:
        try:
            ipaddress.IPv6Address(host)  # no scope: it would name one of our own links
        except ValueError:
            return "url_host"
        return None if "%" not in host and is_permitted(host, allowed) else "url_address"
    if not _HOST.fullmatch(host):
        return "url_host"
    if _NUMERIC.fullmatch(host.rstrip(".").rpartition(".")[2]):
        try:
            ipaddress.IPv4Address(
                host
            )  # four decimal numbers and nothing else: 0177.1, 2130706433 and 0x7f.1 are refused
        except ValueError:
            return "url_host"
        return None if is_permitted(host, allowed) else "url_address"
    return None
