"""The courier of webhooks as a process runs it: beside the HTTP API, or alone (`passerelle webhook send`).

What belongs here: building it from the configuration. Why no node runs it: docs/decisions, "Webhooks".
What must not enter: what is sent, and when.
"""

from __future__ import annotations

import functools
import random
import ssl

from gateway.daemon.configuration_schema import Configuration
from gateway.storage.database import connect
from gateway.wall_clock import wall_ms
from gateway.webhooks.addresses import Network, parse_networks
from gateway.webhooks.courier import Courier
from gateway.webhooks.outgoing import GuardedClient
from gateway.webhooks.tallies import WebhookTallies


class WebhooksFault(Exception):
    """The courier cannot start; the text names the key and the remedy."""


def allowed_networks(configuration: Configuration) -> tuple[Network, ...]:
    """The private networks that URLs may lead to. Raises WebhooksFault."""
    try:
        return parse_networks(configuration.webhooks.allow_networks)
    except ValueError as fault:
        raise WebhooksFault(f"[webhooks] allow_networks: {fault}; write networks like 192.168.7.0/24") from fault


async def deliver_webhooks(configuration: Configuration, dsn: str, tallies: WebhookTallies) -> None:
    """Send what is owed until cancelled. Raises WebhooksFault."""
    tls: ssl.SSLContext | None = None
    if configuration.webhooks.tls_ca is not None:
        try:
            tls = ssl.create_default_context(cafile=configuration.webhooks.tls_ca)
        except OSError as fault:
            remedy = "name a PEM file of certificates"
            raise WebhooksFault(f"[webhooks] tls_ca cannot be used: {fault}; {remedy}") from fault
    async with GuardedClient(allowed_networks(configuration), tls) as client:
        connected = functools.partial(connect, dsn)
        courier = Courier(connected, client, wall_ms, random.random, tallies, configuration.webhooks.keep_days)
        await courier.run()
