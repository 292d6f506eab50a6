"""A [[connector]] of the TOML as the profile of its carrier.

Source: configuration_schema.SmppConnector; gateway.egress.profile. Each key of a connector takes effect by a line here.
Raises TlsFault. What must not enter: reading the file, building the connector.
"""

from __future__ import annotations

from gateway.daemon.configuration_schema import Configuration, SmppConnector
from gateway.egress.answers import RULE_OF_WORD
from gateway.egress.profile import CarrierProfile
from gateway.egress.tls_client import TlsClient, TlsFault, load_tls_client
from gateway.smpp.declared_tlvs import parse_declared


def carrier_profile(connector: SmppConnector, connector_id: int, configuration: Configuration) -> CarrierProfile:
    """The words of a [[connector]] as its egress room takes them."""
    kinds: tuple[str, ...]
    if connector.bind_types:
        kinds = connector.bind_types
    elif connector.bind_type == "transmitter_receiver":
        kinds = ("transmitter", "receiver") * connector.binds
    else:
        kinds = (connector.bind_type,) * connector.binds
    first, *more = connector.address
    return CarrierProfile(
        name=connector.name,
        connector_id=connector_id,
        host=first.host,
        port=first.port,
        more_addresses=tuple(more),
        sticky_address=connector.address_choice == "sticky",
        tls=_tls(connector) if connector.tls else None,
        outbind_listen=connector.outbind_listen,
        outbind_system_id=connector.outbind_system_id,
        outbind_password=connector.outbind_password.reveal() if connector.outbind_password else "",
        system_id=connector.system_id,
        password=connector.password.reveal(),
        system_type=connector.system_type,
        interface_version=connector.interface_version,
        bind_types=kinds,
        window=connector.window,
        tps=connector.tps,
        alphabet=connector.default_alphabet,
        long_messages=connector.long_messages,
        part_receipts=connector.part_receipts,
        source_ton=connector.source_ton,
        source_npi=connector.source_npi,
        destination_ton=connector.destination_ton,
        destination_npi=connector.destination_npi,
        other_destination=(connector.other_destination_ton, connector.other_destination_npi),
        send_validity=connector.send_validity,
        status_map={int(status, 16): RULE_OF_WORD[word] for status, word in connector.status_map.items()},
        tlvs=parse_declared(connector.tlvs),
        second_route_classes=frozenset(configuration.policy.second_route_classes),
        connect_timeout_s=connector.connect_timeout_s,
        bind_timeout_s=connector.bind_timeout_s,
        enquire_link_s=connector.enquire_link_s,
        enquire_link_timeout_s=connector.enquire_link_timeout_s,
        response_timeout_s=connector.response_timeout_s,
        reconnect_max_s=connector.reconnect_max_s,
        in_doubt_grace_s=connector.in_doubt_grace_s,
    )


def _tls(connector: SmppConnector) -> TlsClient:
    try:
        return load_tls_client(
            connector.tls_ca,
            connector.tls_server_name,
            connector.tls_pins,
            connector.tls_certificate,
            connector.tls_key,
        )
    except TlsFault as fault:
        raise TlsFault(f"connector {connector.name}: {fault}") from fault
