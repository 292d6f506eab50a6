"""The TOML is read whole or refused whole: every fault with its line, culprit and remedy, in two languages.

What must not enter: starting a daemon.
"""

from __future__ import annotations

import string
from pathlib import Path

import pytest

from gateway.daemon.carrier_profiles import carrier_profile
from gateway.daemon.configuration import (
    Configuration,
    ConfigurationFault,
    Endpoint,
    Secret,
    default_configuration,
    load_configuration,
)
from gateway.daemon.configuration_words import WORDS, Language
from gateway.egress.answers import RULE_OF_WORD
from gateway.egress.tls_client import TlsFault

WHOLE = """\
[node]
name = "a"
[storage]
dsn = "postgresql://passerelle@db/passerelle"
[redis]
url = "redis://127.0.0.1:6379/0"
[smpp_server]
listen = "127.0.0.1:2775"
[metrics]
listen = "[::1]:9464"
[[connector]]
name = "carrier-a"
kind = "smpp"
address = "127.0.0.1:2776"
system_id = "gw"
password = { file = "carrier-a.secret" }
bind_type = "transceiver"
binds = 2
window = 50
tps = 0
[[connector]]
name = "carrier-b"
kind = "smpp"
address = "smsc.example:2775"
system_id = "gw"
password = { value = "secret08" }
"""

CONNECTOR = """\
[[connector]]
name = "carrier-a"
kind = "smpp"
address = "127.0.0.1:2776"
system_id = "gw"
"""


@pytest.fixture(autouse=True)
def no_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("STATE_DIRECTORY", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(variable, raising=False)


def read(folder: Path, text: str) -> Configuration:
    (folder / "node.toml").write_text(text, encoding="utf-8")
    return load_configuration(folder / "node.toml")


def faults(folder: Path, text: str, lang: Language = "en") -> list[str]:
    file = folder / "node.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationFault) as caught:
        load_configuration(file, lang)
    return [message.removeprefix(f"{file}:") for message in caught.value.messages]


def test_agreed_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "carrier-a.secret").write_text("pass08\n")
    configuration = read(tmp_path, WHOLE)
    assert configuration.smpp_server.listen == Endpoint("127.0.0.1", 2775)
    assert configuration.metrics.listen == Endpoint("::1", 9464)
    assert configuration.storage.dsn == Secret("postgresql://passerelle@db/passerelle")
    first, second = configuration.connectors
    assert (first.name, first.binds, first.window, first.tps) == ("carrier-a", 2, 50, 0.0)
    assert first.password.reveal() == "pass08"
    assert (second.window, second.enquire_link_s, second.response_timeout_s) == (10, 30.0, 60.0)


def test_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    configuration = read(tmp_path, "")
    assert configuration == default_configuration(tmp_path)
    assert configuration.node.data_dir == tmp_path / ".passerelle"
    assert configuration.storage.dsn is None
    assert configuration.smpp_server.listen.port == 2775


def test_data_dir_is_relative_to_the_file(tmp_path: Path) -> None:
    assert read(tmp_path, '[node]\ndata_dir = "here"\n').node.data_dir == tmp_path / "here"
    assert read(tmp_path, '[node]\ndata_dir = "/var/lib/x"\n').node.data_dir == Path("/var/lib/x")


def test_state_directory_of_systemd_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/passerelle")
    assert read(tmp_path, "").node.data_dir == Path("/var/lib/passerelle")


def test_credential_is_taken_from_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "carrier-a").write_text("pw")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    configuration = read(tmp_path, CONNECTOR + 'password = { credential = "carrier-a" }\n')
    assert configuration.connectors[0].password.reveal() == "pw"


def test_credential_without_systemd_names_the_remedy(tmp_path: Path) -> None:
    (message,) = faults(tmp_path, CONNECTOR + 'password = { credential = "carrier-a" }\n')
    assert message.startswith("6: credential carrier-a: systemd gave none; add LoadCredential=")


def test_unknown_key_suggests_the_nearest_with_its_line(tmp_path: Path) -> None:
    text = "[node]\n# a comment\n\n[smpp_server]\nlisen = '127.0.0.1:2775'\n"
    assert faults(tmp_path, text) == ["5: unknown key lisen in [smpp_server]; did you mean listen?"]


def test_unknown_key_far_from_any_lists_what_is_known(tmp_path: Path) -> None:
    (message,) = faults(tmp_path, "[metrics]\nxyzzy = 1\n")
    assert message == "2: unknown key xyzzy in [metrics]; known there: listen"


def test_unknown_section_suggests_the_nearest(tmp_path: Path) -> None:
    (message,) = faults(tmp_path, "[smpp_servr]\n")
    assert message == "1: unknown key smpp_servr in file; did you mean smpp_server?"


def test_all_faults_are_told_at_once_in_order_of_lines(tmp_path: Path) -> None:
    text = (
        "[node]\nname = 7\n[smpp_server]\nlisten = 'nowhere'\nwindow = 0\n"
        + CONNECTOR.replace("name", "nme")
        + "password = 'x'\nbinds = 'two'\n"
    )
    told = faults(tmp_path, text)
    assert [int(message.split(":")[0]) for message in told] == [2, 4, 5, 6, 7, 11, 12]
    assert 'listen = "nowhere" cannot be; expected "host:port"' in told[1]
    assert "window = 0 cannot be; expected a whole number from 1 to 10000" in told[2]
    assert "[[connector]] lacks name" in told[3]
    assert "did you mean name?" in told[4]


def test_line_is_that_of_the_second_connector(tmp_path: Path) -> None:
    text = CONNECTOR + 'password = { value = "x" }\n' + CONNECTOR.replace("-a", "-b") + "password = { value = 5 }\n"
    (message,) = faults(tmp_path, text)
    assert message.startswith("12: password is a secret")


def test_two_connectors_of_one_name_are_refused(tmp_path: Path) -> None:
    one = CONNECTOR + 'password = { value = "x" }\n'
    (message,) = faults(tmp_path, one + one)
    assert message == "8: two connectors are called carrier-a; give each its own name"


def test_single_brackets_for_a_connector_are_explained(tmp_path: Path) -> None:
    (message,) = faults(tmp_path, CONNECTOR.replace("[[connector]]", "[connector]"))
    assert "write [[connector]], with two brackets" in message


def test_unknown_kind_names_the_kinds(tmp_path: Path) -> None:
    (message,) = faults(tmp_path, CONNECTOR.replace('"smpp"', '"sim"') + 'password = { value = "x" }\n')
    assert message == '3: kind = "sim" cannot be; expected one of "smpp"'


def test_password_too_long_for_smpp_is_refused_without_showing_it(tmp_path: Path) -> None:
    (message,) = faults(tmp_path, CONNECTOR + 'password = { value = "ninechars" }\n')
    assert "more than 8 octets" in message
    assert "ninechars" not in message


def test_missing_secret_file_is_named(tmp_path: Path) -> None:
    (message,) = faults(tmp_path, CONNECTOR + 'password = { file = "none.secret" }\n')
    assert str(tmp_path / "none.secret") in message


def test_misspelt_secret_reference_is_suggested(tmp_path: Path) -> None:
    (message,) = faults(tmp_path, CONNECTOR + 'password = { fil = "x" }\n')
    assert "did you mean file?" in message


@pytest.mark.parametrize("address", ["127.0.0.1", "a:b", ":2775", "h:0", "h:65536", "::1:2775", "h: 1"])
def test_bad_address_is_refused(tmp_path: Path, address: str) -> None:
    text = CONNECTOR.replace("127.0.0.1:2776", address) + 'password = { value = "x" }\n'
    (message,) = faults(tmp_path, text)
    assert 'expected "host:port"' in message


def test_listening_on_any_free_port_is_possible(tmp_path: Path) -> None:
    assert read(tmp_path, '[smpp_server]\nlisten = "127.0.0.1:0"\n').smpp_server.listen.port == 0


def test_broken_toml_names_the_line(tmp_path: Path) -> None:
    (message,) = faults(tmp_path, "[node\n")
    assert "is not TOML" in message
    assert "line 1" in message


def test_absent_file_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationFault, match=r"none.toml: cannot be read .*--config"):
        load_configuration(tmp_path / "none.toml")


def test_latin1_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_bytes("[node]\nname = 'é'\n".encode("latin-1"))
    with pytest.raises(ConfigurationFault, match="save it as UTF-8"):
        load_configuration(tmp_path / "node.toml")


def test_french_is_spoken(tmp_path: Path) -> None:
    (message,) = faults(tmp_path, "[smpp_server]\nlisen = 1\n", "fr")
    assert message == "2: clé inconnue lisen dans [smpp_server] ; vouliez-vous dire listen ?"


def test_both_languages_have_the_same_words_and_gaps() -> None:
    def gaps(sentence: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(sentence)} - {None}

    assert WORDS["en"].keys() == WORDS["fr"].keys()
    for word, sentence in WORDS["en"].items():
        assert gaps(sentence) == gaps(WORDS["fr"][word]), word


def test_secret_is_never_shown(tmp_path: Path) -> None:
    configuration = read(tmp_path, CONNECTOR + 'password = { value = "hidden08" }\n')
    assert "hidden08" not in repr(configuration)
    assert "hidden08" not in f"{configuration.connectors[0].password}"


def test_integer_serves_where_a_number_is_asked(tmp_path: Path) -> None:
    assert read(tmp_path, "[smpp_server]\nbind_timeout_s = 5\n").smpp_server.bind_timeout_s == 5.0
    (message,) = faults(tmp_path, "[smpp_server]\nbind_timeout_s = true\n")
    assert message == "2: bind_timeout_s = true cannot be; expected a number above 0, at most 86400"


def test_policy_names_classes(tmp_path: Path) -> None:
    configuration = read(tmp_path, '[policy]\nin_doubt_resend_classes = ["otp"]\nunknown_outcome = "release"\n')
    assert configuration.policy.in_doubt_resend_classes == ("otp",)
    (message,) = faults(tmp_path, '[policy]\nin_doubt_resend_classes = ["opt"]\n')
    assert 'expected a list of: one of "otp"' in message


def test_tlvs_of_a_carrier_are_declared_by_tag_and_form(tmp_path: Path) -> None:
    section = CONNECTOR + 'password = { value = "pw" }\n[connector.tlvs]\n'
    (connector,) = read(tmp_path, section + '0x1401 = "octets 1-4"\n').connectors
    assert connector.tlvs == {"0x1401": "octets 1-4"}
    (message,) = faults(tmp_path, section + '0x0424 = "octets 1-4"\n')
    assert message.endswith("0x0424 is message_payload, a standard TLV, which travels without a declaration; " + (
        "take its line out"
    ))  # fmt: skip
    (message,) = faults(tmp_path, section + '0x1401 = "octets 4-1"\n', "fr")
    assert "aucune valeur n'a cette longueur" in message
    for wrong in ('0x1401 = "string 4"', '1401 = "octets 4"', '0x14010 = "octets 4"', '0x1401 = "octets"'):
        (message,) = faults(tmp_path, section + wrong + "\n")
        assert "tlvs = {...} cannot be; expected a table: text like" in message


# ---------------------------------------------------------------- connectors: addresses, TLS, statuses, binds

SECRET = 'password = { value = "x" }\n'


@pytest.mark.parametrize("address", ['"a:1, [::1]:2"', '["a:1", "[::1]:2"]'])
def test_several_addresses_are_a_list_or_a_text_with_commas(tmp_path: Path, address: str) -> None:
    text = CONNECTOR.replace('"127.0.0.1:2776"', address) + SECRET
    (connector,) = read(tmp_path, text).connectors
    assert connector.address == (Endpoint("a", 1), Endpoint("::1", 2))
    profile = carrier_profile(connector, 1, read(tmp_path, text))
    assert (profile.host, profile.port, profile.more_addresses) == ("a", 1, (("::1", 2),))


@pytest.mark.parametrize("address", ['"a:1, b"', '["a:1", 7]', "[]", '""', '"a:1,,b:2"'])
def test_a_bad_address_among_several_is_refused(tmp_path: Path, address: str) -> None:
    (message,) = faults(tmp_path, CONNECTOR.replace('"127.0.0.1:2776"', address) + SECRET)
    assert 'expected "host:port"' in message


def test_bind_types_stand_in_place_of_type_and_number(tmp_path: Path) -> None:
    configuration = read(tmp_path, CONNECTOR + SECRET + 'binds = 5\nbind_types = ["transmitter", "receiver"]\n')
    assert carrier_profile(configuration.connectors[0], 1, configuration).bind_types == ("transmitter", "receiver")


def test_a_carrier_s_own_statuses_become_rows(tmp_path: Path) -> None:
    table = '[connector.status_map]\n"0x0401" = "throttle"\n"0x8" = "permanent"\n'
    configuration = read(tmp_path, CONNECTOR + SECRET + table)
    found = carrier_profile(configuration.connectors[0], 1, configuration).status_map
    assert found == {0x401: RULE_OF_WORD["throttle"], 0x08: RULE_OF_WORD["permanent"]}


@pytest.mark.parametrize("row", ['"0x0401" = "later"', '"1025" = "throttle"', '"0x0" = "throttle"', '"0x0401" = 1'])
def test_a_status_or_a_word_that_is_none_is_refused_with_the_words_there_are(tmp_path: Path, row: str) -> None:
    (message,) = faults(tmp_path, CONNECTOR + SECRET + f"[connector.status_map]\n{row}\n")
    assert "status_map" in message
    assert '"throttle"' in message


@pytest.mark.parametrize("key", ["tls_ca", "tls_server_name", "tls_certificate", "tls_key"])
def test_a_tls_key_without_tls_is_refused_with_its_remedy(tmp_path: Path, key: str) -> None:
    (message,) = faults(tmp_path, CONNECTOR + SECRET + f'{key} = "x"\n')
    assert key in message
    assert "tls = true" in message


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    (message,) = faults(tmp_path, CONNECTOR + SECRET + 'tls = true\ntls_certificate = "c.pem"\n')
    assert "belong together" in message


def test_files_of_tls_are_relative_to_the_toml_and_named_with_their_connector(tmp_path: Path) -> None:
    configuration = read(tmp_path, CONNECTOR + SECRET + 'tls = true\ntls_ca = "none.pem"\n')
    with pytest.raises(TlsFault, match=f"connector carrier-a: tls_ca {tmp_path}/none.pem"):
        carrier_profile(configuration.connectors[0], 1, configuration)


def test_a_port_for_outbind_needs_the_carrier_s_own_words(tmp_path: Path) -> None:
    (message,) = faults(tmp_path, CONNECTOR + SECRET + 'outbind_listen = "127.0.0.1:2777"\n')
    assert "outbind_password" in message
    words = 'outbind_system_id = "centre"\noutbind_password = { value = "secret08" }\n'
    configuration = read(tmp_path, CONNECTOR + SECRET + 'outbind_listen = "127.0.0.1:2777"\n' + words)
    profile = carrier_profile(configuration.connectors[0], 1, configuration)
    assert (profile.outbind_listen, profile.outbind_password) == (("127.0.0.1", 2777), "secret08")
