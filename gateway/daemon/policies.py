"""What operators decide about messages in general, from the TOML into the rooms' own words: the same at every door.

Source: [policy] and [limits] of docs/operate.md.
What must not enter: settings of one door or one carrier (node.py, connector_profiles), reading the TOML.
"""

from __future__ import annotations

from gateway.accept.rules import AcceptPolicy
from gateway.daemon.configuration_schema import Configuration
from gateway.inbound.desk import InboundPolicy
from gateway.lifecycle import LifePolicy
from gateway.receipts.fold import MoneyPolicy


def life_policy(configuration: Configuration, connector_ids: dict[str, int]) -> LifePolicy:
    """connector_ids: of the connectors that this process runs."""
    policy, limits = configuration.policy, configuration.limits
    return LifePolicy(
        accept=AcceptPolicy(
            default_region=policy.default_country,
            validity_ms=int(limits.validity_s * 1000),
            parts_limit=limits.message_parts,
        ),
        money=MoneyPolicy(capture_at=policy.capture_at, unknown_outcome=policy.unknown_outcome),
        resend_classes=frozenset(policy.in_doubt_resend_classes),
        doubt_graces_ms={
            connector_ids[c.name]: int(c.in_doubt_grace_s * 1000)
            for c in configuration.connectors
            if c.name in connector_ids
        },
        waiting_limit=limits.group_commit_waiting,
        inbound=InboundPolicy(
            join_ms=int(limits.inbound_join_s * 1000),
            pair_a_minute=limits.inbound_pair_a_minute,
            default_region=policy.default_country,
        ),
        opt_out_spares=frozenset(policy.opt_out_spares),
    )
