"""Papers that show that a sender name is its customer's: what they may be, how they come in, how they go out again.

What a paper is, its first octets say, never the name or the type it came with; it is given back only to be saved.
Source: ISO 32000-1 7.5.2 (PDF), PNG 5.2, ITU-T T.81 B.1.1.3 (JPEG).
What must not enter: looking inside them, who may read them (sender_names.py, admin_sender_names.py).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator
from pathlib import PurePath
from typing import Any, Final

from aiohttp import web

from admin_api.lookup_jobs import source_of
from admin_api.problems import Problem
from admin_api.service import Answer
from gateway.storage.sender_requests import PROOF_OCTETS

KINDS: Final = (
    (b"%PDF-", "application/pdf", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
)
MEDIA_TYPES: Final = tuple(kind for _, kind, _ in KINDS)
RAW_TYPES: Final = frozenset((*MEDIA_TYPES, "application/octet-stream"))
LONGEST_NAME: Final = 100  # chosen: characters of a file's name


def kind_of(content: bytes) -> str | None:
    """The media type that the first octets tell; None: none of those taken."""
    return next((kind for mark, kind, _ in KINDS if content.startswith(mark)), None)


def name_of(given: str) -> str:
    """A file's name without its folders and what does not print."""
    plain = "".join(each for each in PurePath(given.replace("\\", "/")).name if each.isprintable())
    return plain[:LONGEST_NAME] or "proof"


def read_base64(text: str) -> bytes | Problem:
    """A paper that came within JSON."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return Problem("not_a_proof")
    return _sound(content)


async def read_upload(request: web.Request) -> tuple[str, bytes] | Problem:
    """Name and content of the paper that a request carries as its body, or as a file of multipart/form-data."""
    source = await source_of(request, RAW_TYPES)
    if source is None:
        return Problem("not_a_proof")
    chunks, name = source
    try:
        content = await _gather(chunks)
    except ValueError:  # multipart that ends within a part
        return Problem("not_a_proof")
    if isinstance(content, Problem):
        return content
    sound = _sound(content)
    return sound if isinstance(sound, Problem) else (name_of(name), sound)


async def _gather(chunks: AsyncIterator[bytes]) -> bytes | Problem:
    taken = bytearray()
    async for chunk in chunks:
        taken += chunk
        if len(taken) > PROOF_OCTETS:
            return Problem("body_too_large")
    return bytes(taken)


def _sound(content: bytes) -> bytes | Problem:
    if len(content) > PROOF_OCTETS:
        return Problem("body_too_large")
    return Problem("not_a_proof") if kind_of(content) is None else content


def hand_out(proof: Any) -> Answer:
    """A stored paper, to be saved and never shown by a browser as a page of ours."""
    ending = next(ending for _, kind, ending in KINDS if kind == proof["kind"])
    stem = (
        "".join(c for c in PurePath(proof["file_name"]).stem if c.isascii() and (c.isalnum() or c in "-_")) or "proof"
    )
    disposition = {"Content-Disposition": f'attachment; filename="{stem}.{ending}"'}
    return Answer(bytes(proof["content"]), headers=disposition, media_type=proof["kind"])
