"""The one TOML file of a node: its schema. Facts that change while running are rows, not configuration.

Sections and keys are the product's interface (docs/operate): a field here is a key there, its default is the default.
Numbers come from the defaults page and from SMPP v3.4 (lengths of C-octet strings) unless a comment says "chosen".
What must not enter: reading files and telling faults (configuration.py), anything that opens or starts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta, field

from gateway.egress.answers import StatusWord
from gateway.receipts.carrier_errors import ErrorMeaning
from gateway.smpp.declared_tlvs import FORM, TAG

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]  # it labels metrics and names folders
SystemId = Annotated[str, Meta(min_length=1, max_length=15)]  # SMPP v3.4 5.2.1
SystemIdOrNone = Annotated[str, Meta(max_length=15)]
SystemType = Annotated[str, Meta(max_length=12)]  # SMPP v3.4 5.2.3
Octet = Annotated[int, Meta(ge=0, le=255)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Window = Annotated[int, Meta(ge=1, le=10_000)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
ErrorCode = Annotated[str, Meta(pattern=r"^([0-9A-Za-z]{1,8}|[0-9]{1,3}\.[0-9]{1,5})$")]  # of a text, or type.number
StatusCode = Annotated[str, Meta(pattern=r"^0x(?!0+$)[0-9A-Fa-f]{1,8}$")]  # SMPP v3.4 5.1.3: four octets
TrafficClass = Literal["otp", "transactional", "marketing", "service"]
BindKind = Literal["transceiver", "transmitter", "receiver"]
Alphabet = Literal["gsm7", "gsm7_packed", "latin1", "ascii", "cp1252", "utf8"]
TlvTag = Annotated[str, Meta(pattern=TAG)]
TlvForm = Annotated[str, Meta(pattern=FORM)]


class Endpoint(NamedTuple):
    """Where to listen or connect, written "host:port" or "[v6]:port"; port 0 lets the system choose (listen only)."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


Addresses = tuple[Endpoint, ...]


class Secret(msgspec.Struct, frozen=True):
    """A word that no log and no traceback shows; `reveal` is the only way to it."""

    word: str

    def reveal(self) -> str:
        return self.word

    def __repr__(self) -> str:
        return "Secret(...)"

    __str__ = __repr__


class FileReference(msgspec.Struct, frozen=True):
    """A file by its place, read when it is needed and again when it changed: a certificate, a key."""

    path: Path


class Node(msgspec.Struct, frozen=True):
    """data_dir: relative to the TOML's folder; absent: $STATE_DIRECTORY, else .passerelle beside the TOML."""

    name: Name = "a"
    data_dir: Path = Path(".passerelle")


class Storage(msgspec.Struct, frozen=True):
    """dsn: "postgresql://...", or a secret reference to it; absent: the embedded PostgreSQL below data_dir."""

    dsn: Secret | None = None


class Redis(msgspec.Struct, frozen=True):
    """url: "redis://...", or a secret reference to it; absent: single node, in process."""

    url: Secret | None = None


class SmppServerTls(msgspec.Struct, frozen=True):
    """The door of the ESMEs by TLS; files by reference, PEM. client_ca: only clients it signed get in."""

    certificate: FileReference
    key: FileReference
    listen: Endpoint = Endpoint("127.0.0.1", 3550)
    client_ca: FileReference | None = None
    minimum_version: Literal["1.2", "1.3"] = "1.2"
    handshake_timeout_s: Seconds = 10.0


class SmppServer(msgspec.Struct, frozen=True):
    """The door of the ESMEs."""

    listen: Endpoint = Endpoint("127.0.0.1", 2775)
    system_id: SystemId = "passerelle"
    shared_port: bool = False  # SO_REUSEPORT (socket(7)): nodes of one machine share the ports of this section
    max_sessions: Count = 1000  # chosen: some 50 KiB each
    unbound_per_address: Count = 250  # chosen: a quarter of the above; each stays bind_timeout_s at most
    window: Window = 1000  # chosen: hard limit of unanswered requests of one bind, whatever its account is allowed
    bind_timeout_s: Seconds = 10.0
    enquire_link_s: Seconds = 60.0  # chosen: of silence before we ask
    enquire_link_timeout_s: Seconds = 30.0
    inactivity_s: Seconds = 300.0
    partial_pdu_timeout_s: Seconds = 30.0  # chosen: 64 KiB at 20 kbit/s
    takeover_silence_s: Seconds = 1.0  # chosen: a bind heard since then is alive
    takeover_answer_s: Seconds = 5.0  # chosen: two lost packets sent again
    delivery_window: Window = 50  # chosen: unanswered deliver_sm towards one bind
    delivery_response_timeout_s: Seconds = 30.0
    tls: SmppServerTls | None = None


class Metrics(msgspec.Struct, frozen=True):
    listen: Endpoint = Endpoint("127.0.0.1", 9464)


class Webhooks(msgspec.Struct, frozen=True):
    """What is told to customers' URLs. allow_networks: private ones that URLs may lead to."""

    allow_networks: tuple[str, ...] = ()
    tls_ca: Path | None = None  # relative to the TOML's folder; absent: the system's authorities
    keep_days: Annotated[int, Meta(ge=1, le=366)] = 30  # chosen: deliveries to look at and replay, events to read


OperatorRole = Literal["superadmin", "operator", "finance", "reseller", "support", "read_only"]


class Mail(msgspec.Struct, frozen=True):
    """Where notices by e-mail are handed in. tls: starttls asks for it and insists; tls from the first octet; none."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    sender: Annotated[str, Meta(min_length=3, max_length=254)]  # the address that letters come from
    port: Annotated[int, Meta(ge=1, le=65_535)] = 587  # RFC 6409; 465 with tls = "tls" (RFC 8314)
    tls: Literal["starttls", "tls", "none"] = "starttls"
    tls_ca: Path | None = None  # relative to the TOML's folder; absent: the system's authorities
    user: str = ""
    password: Secret | None = None
    connect_timeout_s: Seconds = 10.0
    timeout_s: Seconds = 60.0  # chosen: of a whole letter


class Notices(msgspec.Struct, frozen=True):
    """What people are told of. account: whose credit pays for SMS; absent: none are sent."""

    house: Annotated[str, Meta(min_length=1, max_length=60)] = "Passerelle"  # the name that letters are signed with
    account: str = ""
    sms_sender: Annotated[str, Meta(max_length=16)] = ""  # a sender name of that account, or a number
    most_an_hour: Annotated[int, Meta(ge=1, le=1000)] = 6  # chosen: of one event to one address; then digests
    bind_down_after_s: Seconds = 120.0  # chosen: a carrier that restarts is no news
    node_dead_after_s: Seconds = 60.0  # chosen: a node that restarts is no news
    keep_days: Annotated[int, Meta(ge=1, le=366)] = 90  # chosen


class AdminApiTls(msgspec.Struct, frozen=True):
    """The API's own TLS, in place of a proxy's; files by reference, PEM."""

    certificate: FileReference
    key: FileReference
    minimum_version: Literal["1.2", "1.3"] = "1.2"


class AdminApiLookups(msgspec.Struct, frozen=True):
    """Files of numbers that customers have analysed. folder: absent: lookups below [node] data_dir."""

    folder: Path | None = None
    file_octets: Annotated[int, Meta(ge=1024)] = 100 * 1024 * 1024  # chosen: a million rows of 100 characters
    spool_octets: Annotated[int, Meta(ge=1024)] = 5 * 1024 * 1024 * 1024  # chosen: twenty of them with their results
    kept_h: Annotated[int, Meta(ge=1)] = 72  # chosen: how long a result may be fetched


class AdminApiOperators(msgspec.Struct, frozen=True):
    """People who sign in at /v1/admin. second_factor_for: roles that must have one."""

    idle_minutes: Annotated[int, Meta(ge=1, le=24 * 60)] = 30  # chosen: a coffee, not a lunch
    longest_h: Annotated[int, Meta(ge=1, le=24 * 30)] = 12  # chosen: a working day
    second_factor_for: tuple[OperatorRole, ...] = ("superadmin", "finance")
    secure_cookies: bool = False  # where a proxy ends TLS; with [admin_api.tls] cookies are so anyway


class AdminApiCredits(msgspec.Struct, frozen=True):
    """Credit that operators move. alone_up_to: credits that one person moves in 24 hours without a second one."""

    alone_up_to: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 10_000  # chosen: a slip that a house survives
    proposal_hours: Annotated[int, Meta(ge=1, le=24 * 30)] = 72  # chosen: over a weekend
    order_days: Annotated[int, Meta(ge=1, le=366)] = 30  # chosen: a transfer takes days, and people take weeks


class AdminApi(msgspec.Struct, frozen=True):
    """The HTTP API (`passerelle admin-api`). dsn: as the role passerelle_api; absent: the embedded PostgreSQL's."""

    name: Name = "api"  # of its seat among the nodes: each process has its own
    listen: Endpoint = Endpoint("127.0.0.1", 8080)
    metrics_listen: Endpoint = Endpoint("127.0.0.1", 9465)
    dsn: Secret | None = None
    tls: AdminApiTls | None = None
    body_octets: Annotated[int, Meta(ge=1024, le=64 * 1024 * 1024)] = (
        2 * 1024 * 1024
    )  # chosen: 1,000 messages of 10 parts
    requests_at_once: Count = 1000  # chosen: beyond it 503, before anything is read
    connections: Count = 4000  # chosen: over all ports; four to a request under way
    connections_per_address: Count = 1000  # chosen: a quarter of the above; trusted proxies have no such limit
    trusted_proxies: tuple[str, ...] = ()  # networks whose X-Forwarded-For is believed
    drain_timeout_s: Seconds = 30.0
    streams_at_once: Count = 2000  # chosen: listeners to events, over all accounts
    streams_per_account: Count = 50  # chosen: a screen each of a large customer's people
    kannel_listen: Endpoint | None = None  # of /cgi-bin/sendsms; absent: closed
    jasmin_listen: Endpoint | None = None  # of /send, /rate, /balance, /ping; absent: closed
    graphql_introspection: bool = (
        False  # whether /graphql tells its schema to programs; it is at /graphql/schema anyway
    )
    lookups: AdminApiLookups = field(default_factory=AdminApiLookups)
    operators: AdminApiOperators = field(default_factory=AdminApiOperators)
    credits: AdminApiCredits = field(default_factory=AdminApiCredits)


class SmppConnector(msgspec.Struct, frozen=True):
    """One carrier by SMPP. tps: parts a second over all binds of the connector, 0 for no contract limit."""

    name: Name
    kind: Literal["smpp"]
    address: Addresses  # one or more, also written "host:port, host:port"
    system_id: SystemId
    password: Secret
    address_choice: Literal["sticky", "first"] = "sticky"
    tls: bool = False
    tls_ca: Path | None = None  # paths: relative to the TOML's folder
    tls_server_name: str = ""
    tls_pins: tuple[str, ...] = ()
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    system_type: SystemType = ""
    bind_type: Literal["transceiver", "transmitter_receiver", "transmitter", "receiver"] = "transceiver"
    outbind_listen: Endpoint | None = None
    outbind_system_id: SystemIdOrNone = ""
    outbind_password: Secret | None = None
    bind_types: tuple[BindKind, ...] = ()  # one for each link, in place of bind_type and binds
    interface_version: Literal[0x33, 0x34, 0x50] = 0x34
    binds: Annotated[int, Meta(ge=1, le=64)] = 1
    window: Window = 10
    tps: Annotated[float, Meta(ge=0, le=100_000)] = 0.0
    default_alphabet: Alphabet = "gsm7"
    long_messages: Literal["udh", "udh16", "sar", "payload"] = "udh"
    part_receipts: Literal["each", "last"] = "each"
    source_ton: Octet | None = None  # absent: from the shape of the address
    source_npi: Octet | None = None
    destination_ton: Octet = 1  # SMPP v3.4 5.2.5: international
    destination_npi: Octet = 1  # SMPP v3.4 5.2.6: E.164
    other_destination_ton: Octet = 0  # SMPP v3.4 5.2.5: unknown
    other_destination_npi: Octet = 0
    alphanumeric_senders: bool = True  # false: it sends from numbers of its own, as a SIM does
    send_validity: bool = False
    status_map: dict[StatusCode, StatusWord] = field(default_factory=dict)
    error_map: dict[ErrorCode, ErrorMeaning] = field(default_factory=dict)
    tlvs: dict[TlvTag, TlvForm] = field(default_factory=dict)
    receipt_id_format: Literal["exact", "hexadecimal", "decimal"] | None = (
        None  # absent: learnt from the first receipts
    )
    connect_timeout_s: Seconds = 10.0
    bind_timeout_s: Seconds = 30.0
    enquire_link_s: Seconds = 30.0
    enquire_link_timeout_s: Seconds = 10.0
    response_timeout_s: Seconds = 60.0
    reconnect_max_s: Seconds = 60.0
    in_doubt_grace_s: Seconds = 60.0


class Limits(msgspec.Struct, frozen=True):
    """Every queue has an end."""

    group_commit_batch: Annotated[int, Meta(ge=1, le=10_000)] = 400  # chosen: rows of one transaction
    group_commit_waiting: Count = 20_000  # chosen: beyond it a submission is refused with 0x14
    disk_full: Annotated[float, Meta(gt=0, le=1)] = 0.9  # defaults: beyond this share, new submissions get 0x14
    connector_queue: Count = 20_000  # chosen: messages in memory for one connector and lane; the others stay rows
    message_parts: Annotated[int, Meta(ge=1, le=10)] = 10  # telecom.parts.MAX_PARTS: what handsets put together
    validity_s: Annotated[float, Meta(gt=0, le=14 * 86_400)] = 172_800.0  # chosen: 48 h where the customer says nothing
    drain_timeout_s: Seconds = 30.0
    inbound_join_s: Seconds = 600.0  # chosen: handsets and networks send parts within seconds, or after a gap of radio
    inbound_pair_a_minute: Annotated[int, Meta(ge=1, le=10_000)] = 20  # chosen: no person writes more to one number


class Policy(msgspec.Struct, frozen=True):
    """What is done where the protocol leaves a choice (promises P2 and P3)."""

    in_doubt_resend_classes: tuple[TrafficClass, ...] = ("otp", "transactional")
    second_route_classes: tuple[TrafficClass, ...] = ("otp", "transactional", "service")
    default_traffic_class: TrafficClass = "transactional"
    opt_out_spares: tuple[TrafficClass, ...] = ("otp",)  # a code is asked for by the person himself
    capture_at: Literal["acceptance", "delivery"] = "acceptance"
    unknown_outcome: Literal["capture", "release"] = "capture"
    default_country: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = (
        "BJ"  # of national numbers, where the account has none
    )


class Configuration(msgspec.Struct, frozen=True):
    """All of the file. `connectors` is written [[connector]]."""

    node: Node = field(default_factory=Node)
    storage: Storage = field(default_factory=Storage)
    redis: Redis = field(default_factory=Redis)
    smpp_server: SmppServer = field(default_factory=SmppServer)
    metrics: Metrics = field(default_factory=Metrics)
    admin_api: AdminApi = field(default_factory=AdminApi)
    connectors: tuple[SmppConnector, ...] = field(default=(), name="connector")
    limits: Limits = field(default_factory=Limits)
    policy: Policy = field(default_factory=Policy)
    webhooks: Webhooks = field(default_factory=Webhooks)
    mail: Mail | None = None
    notices: Notices = field(default_factory=Notices)


CONNECTOR_KINDS = {"smpp": SmppConnector}
