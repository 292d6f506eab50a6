"""Nodes of one machine behind one port: both listen where both say so, and a taken port stays an error otherwise.

Source: decision 0015; socket(7), SO_REUSEPORT.
What must not enter: what is said on a connection (test_smpp_server.py).
"""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from gateway.ingress.smpp_server import SmppServer
from gateway.recall import Recall
from tests.gateway.conftest import Ground
from tests.gateway.ingress.conftest import Door, open_door


def second_door(door: Door, tasks: asyncio.TaskGroup) -> SmppServer:
    """Another server on the port of the first, with the same settings."""
    life, clock = door.life, door.ground.clock
    settings = msgspec.structs.replace(door.server.settings, port=door.server.port)
    recall = Recall(life.lifecycle, life.reader, life.settling, clock)
    return SmppServer(settings, life.lifecycle, door.deliveries, life.tallies, clock, tasks, recall)


async def test_two_nodes_listen_on_one_port_where_both_share_it(ground: Ground) -> None:
    async with open_door(ground, shared_port=True) as door, asyncio.TaskGroup() as tasks:
        second = second_door(door, tasks)
        await second.listen()
        assert second.port == door.server.port
        await door.server.stop_accepting()  # the first drains: new connections come to the second
        async with door.peer(bound=True):
            assert len(second.connections) == 1
        await second.stop_accepting()
        second.close()


async def test_a_taken_port_is_an_error_where_it_is_not_shared(ground: Ground) -> None:
    async with open_door(ground) as door, asyncio.TaskGroup() as tasks:
        with pytest.raises(OSError, match="in use"):
            await second_door(door, tasks).listen()
