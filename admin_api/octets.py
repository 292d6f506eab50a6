"""A request's body as octets: as it was sent, bounded (client_max_size), and within a time.

A body that comes a drop at a time holds a place among the requests at once; so it has a deadline. Packed bodies
(Content-Encoding) are not taken: a kilobyte of them may be a gigabyte.
What must not enter: what the octets say.
"""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

BODY_S: Final = 30.0  # chosen: 2 MiB at 560 kbit/s
UPLOAD_S: Final = 600.0  # chosen: a file of 100 MiB at 1.4 Mbit/s

UNREADABLE: Final = (HttpProcessingError, web.RequestPayloadError)  # what aiohttp raises for broken chunks and parts


async def read_octets(request: web.Request) -> bytes:
    """The body. Raises HTTPRequestTimeout, HTTPUnsupportedMediaType, HTTPBadRequest, HTTPRequestEntityTooLarge."""
    refuse_packed(request)
    try:
        if request.content.is_eof():  # it came with its head, as nearly all do: no timer
            return await request.read()
        async with asyncio.timeout(BODY_S):
            return await request.read()
    except TimeoutError as fault:
        raise web.HTTPRequestTimeout from fault
    except UNREADABLE as fault:
        raise web.HTTPBadRequest from fault


def refuse_packed(request: web.Request) -> None:
    """Raises HTTPUnsupportedMediaType for a body that would have to be unpacked."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise web.HTTPUnsupportedMediaType
