"""Which addresses a customer's URL may lead to: public unicast, and the private networks an operator names.

Source: IANA's special-purpose address registries (RFC 6890 and its successors), RFC 4291, RFC 6052, RFC 6598. A form
that carries another address in itself (mapped, NAT64, 6to4, Teredo) is refused whatever it carries. Pure.
What must not enter: resolving names, opening sockets.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_FORBIDDEN_4: Final = (
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",  # private
    "100.64.0.0/10",  # shared by a carrier's NAT; a cloud's metadata stands in it
    "127.0.0.0/8",  # loopback
    "168.63.129.16/32",  # a cloud's metadata on a public address
    "169.254.0.0/16",  # link-local; most clouds' metadata
    "172.16.0.0/12",  # private
    "192.0.0.0/24",  # protocol assignments
    "192.0.2.0/24",  # documentation
    "192.31.196.0/24",  # AS112
    "192.52.193.0/24",  # AMT
    "192.88.99.0/24",  # 6to4 relays
    "192.168.0.0/16",  # private
    "192.175.48.0/24",  # AS112
    "198.18.0.0/15",  # benchmarks
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/3",  # multicast, reserved, broadcast
)
_GLOBAL_6: Final = (
    "2000::/3"  # all of global unicast there is (RFC 4291 2.4): loopback, ULA, mapped and others lie outside
)
_FORBIDDEN_6: Final = (
    "2001::/23",  # protocol assignments, Teredo among them
    "2001:db8::/32",  # documentation
    "2002::/16",  # 6to4
    "2620:4f:8000::/48",  # AS112
    "3fff::/20",  # documentation
)
_NETWORKS_4: Final = tuple(ipaddress.IPv4Network(each) for each in _FORBIDDEN_4)
_NETWORKS_6: Final = tuple(ipaddress.IPv6Network(each) for each in _FORBIDDEN_6)
_UNICAST_6: Final = ipaddress.IPv6Network(_GLOBAL_6)


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks as operators write them. Raises ValueError for what is none."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def is_permitted(text: str, allowed: Iterable[Network] = ()) -> bool:
    """Whether a request may go to an address, written as a resolver or a socket writes it (with or without scope)."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if any(address.version == network.version and address in network for network in allowed):
        return True
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NETWORKS_4)
    return address in _UNICAST_6 and not any(address in network for network in _NETWORKS_6)
