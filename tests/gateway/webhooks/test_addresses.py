"""Which addresses and URLs are permitted. What must not enter: sockets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from gateway.webhooks.addresses import is_permitted, parse_networks
from gateway.webhooks.targets import REMEDIES, URL_CHARACTERS, Target, read_target


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "41.85.160.1", "223.255.255.254", "2001:4860:4860::8888", "2a00:1450::1"]
)
def test_public_unicast_is_permitted(address: str) -> None:
    assert is_permitted(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "::1", "::"),
        *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00:ec2::254", "fc00::1", "fec0::1"),
        *(
            "169.254.169.254",
            "fe80::1",
            "fe80::1%eth0",
            "100.64.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
        ),
        *("224.0.0.1", "239.1.1.1", "255.255.255.255", "240.0.0.1", "ff02::1", "198.18.0.1", "203.0.113.9"),
        *("::ffff:8.8.8.8", "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1"),
        *("2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1", "3fff::1", "100::1"),
        *("", "localhost", "2130706433", "0177.0.0.1", "127.1", "0x7f.1", "1.2.3.4.5"),
    ],
)
def test_what_is_not_public_unicast_is_not(address: str) -> None:
    assert not is_permitted(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_in_any_dress_of_ipv6_is_not_permitted(address: object) -> None:
    for dress in ("::ffff:{}", "::{}", "64:ff9b::{}"):
        assert not is_permitted(dress.format(address))


def test_an_operator_permits_networks_of_his_own_and_nothing_beside_them() -> None:
    allowed = parse_networks(["192.168.7.0/24", "fd12::/16"])
    assert is_permitted("192.168.7.9", allowed)
    assert is_permitted("fd12::9", allowed)
    assert not is_permitted("192.168.8.9", allowed)
    assert not is_permitted("::ffff:192.168.7.9", allowed)
    assert not is_permitted("127.0.0.1", allowed)
    with pytest.raises(ValueError, match="host bits"):
        parse_networks(["192.168.7.1/24"])


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://hooks.example.com/a?b=%d", "hooks.example.com", 443),
        ("http://hooks.example.com", "hooks.example.com", 80),
        ("https://Hooks.Example.com:8443/", "hooks.example.com", 8443),
        ("http://8.8.8.8:1024/x", "8.8.8.8", 1024),
        ("https://[2a00:1450::1]/x", "2a00:1450::1", 443),
        ("https://my_service.example.com./x#y", "my_service.example.com.", 443),
    ],
)
def test_a_url_is_read(url: str, host: str, port: int) -> None:
    target = read_target(url)
    assert isinstance(target, Target), target
    assert (target.host, target.port) == (host, port)
    assert "?" not in target.origin


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://x.example/" + "a" * URL_CHARACTERS, "url_long"),
        *((f"https://x.example/{odd}", "url_characters") for odd in (" ", "\\", "\n", "é", "\x7f", "\t")),
        *(
            (url, "url_scheme")
            for url in ("ftp://x.example/", "file:///etc/passwd", "//x.example/", "x.example", "gopher://x")
        ),
        *(
            (url, "url_userinfo")
            for url in ("http://a:b@x.example/", "http://x.example@127.0.0.1/", "http://@x.example/")
        ),
        *((f"http://x.example:{port}/", "url_port") for port in (0, 22, 25, 1023, 65536, -1, "x")),
        *((f"http://{host}/", "url_host") for host in ("2130706433", "0177.0.0.1", "0x7f.0.0.1", "127.1", "1.2.3.4.5")),
        *(
            (f"http://{host}/", "url_host")
            for host in ("", "a..b", "-a.example", "[::1", "[x]", "0x7f000001", "a" * 64)
        ),
        *((f"http://{host}/", "url_address") for host in ("127.0.0.1", "169.254.169.254", "10.1.2.3", "[::1]")),
        *((f"http://{host}/", "url_address") for host in ("[::ffff:127.0.0.1]", "[fd00:ec2::254]", "[fe80::1%25eth0]")),
    ],
)
def test_a_url_that_may_not_be_asked_has_its_fault_and_a_remedy(url: str, fault: str) -> None:
    assert read_target(url) == fault
    assert REMEDIES[fault]  # type: ignore[index]  # one of its words


DISGUISED = (  # each leads home for some reader of URLs
    "http://127.0.0.1./",
    "http://0/",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[0:0:0:0:0:ffff:7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:7f00:1::1]/",
    "http://[::ffff:0x7f.1]/",
    "http://[v1.x]/",
    "http://%31%32%37.0.0.1/",
    "http://127\u30020\u30020\u30021/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://x.example\\@127.0.0.1/",
    "http://127.0.0.1:80@x.example/",
    "http://127.0.0.1%2f@x.example/",
    "http://127.0.0.1%23@x.example/",
    "http://a@b@127.0.0.1/",
    "http://x.example:%38%30/",
    "http://x.example:80:90/",
    "http:///127.0.0.1/",
    "http:127.0.0.1/",
    "http://x.example%00.y/",
    "http://169.254.169.254.:80/",
    "http://0x7f.0x0.0x0.0x1/",
)


@pytest.mark.parametrize("url", DISGUISED)
def test_no_disguise_of_an_address_of_ours_is_a_url(url: str) -> None:
    assert not isinstance(read_target(url), Target)


@given(
    st.lists(
        st.sampled_from(
            ["x.example", "127.0.0.1", "[::1]", ":80", "@", "#", "?", "/", "\\", "//", ".", "%40", "a:b", ";"]
        ),
        max_size=8,
    )
)
def test_who_asks_reads_the_same_host_as_who_checked(pieces: list[str]) -> None:
    target = read_target("http://" + "".join(pieces))
    if isinstance(target, Target):
        asked = URL(target.url, encoded=True)
        assert (asked.host, asked.port, asked.user) == (target.host, target.port, None)


def test_a_permitted_network_may_stand_in_a_url() -> None:
    assert isinstance(read_target("http://127.0.0.1:8080/x", parse_networks(["127.0.0.0/8"])), Target)
