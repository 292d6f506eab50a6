"""The drop-in doors on ports of their own: Kannel's /cgi-bin/sendsms; Jasmin's /send, /rate, /balance and /ping.

Source: compatibility page, sections 3 and 5. Parameters are read as octets from the request as it came; a log line has
no parameter. What must not enter: what parameters mean and what is answered (kannel.py, jasmin.py), how messages are
accepted (sending.py).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import Final

import msgspec
from aiohttp import web

from admin_api.doors import jasmin, kannel
from admin_api.doors.logins import DoorBusy, DoorLogins
from admin_api.doors.reading import Parameters, read_form
from admin_api.doors.sending import CallbackUnfit, allowed_networks, send
from admin_api.octets import read_octets
from admin_api.security_headers import security_headers
from admin_api.service import Service
from gateway.accept.refusals import Refusal
from gateway.accept.rules import destination_number
from gateway.daemon.configuration_schema import Endpoint
from gateway.storage import api_messages
from gateway.storage.door_logins import DoorLoginRow
from gateway.storage.group_commit import NotCommitted, OutcomeUnknown
from gateway.wall_clock import wall_ms
from telecom.money import MICROS_PER_CREDIT
from telecom.parts import count_parts

log = logging.getLogger("passerelle.api")

FORM: Final = "application/x-www-form-urlencoded"
MOST_OCTETS: Final = 64 * 1024  # chosen: a text of ten parts, percent-encoded, with room
SENDSMS: Final = "/cgi-bin/sendsms"
NO_TON: Final = 0  # SMPP v3.4 5.2.5: unknown

Ask = Callable[[web.Request], Awaitable[web.Response]]


class Doors:
    """Both doors of one process; each is open where the configuration names its port."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._logins = DoorLogins(service.reader)

    async def listen(self, context: ssl.SSLContext | None) -> None:
        """Open the ports. Raises OSError when one is taken, ValueError for [webhooks] allow_networks."""
        allowed_networks(self._service.configuration.webhooks.allow_networks)
        settings = self._service.configuration.admin_api
        if settings.kannel_listen is not None:
            await self._open(settings.kannel_listen, context, {SENDSMS: (self._sendsms, _kannel_later)})
        if settings.jasmin_listen is not None:
            asks = {"/send": (self._send, _jasmin_later), "/ping": (_ping, _jasmin_later)}
            asks |= {"/rate": (self._rate, _jasmin_later), "/balance": (self._balance, _jasmin_later)}
            await self._open(settings.jasmin_listen, context, asks)

    async def _open(
        self,
        listen: Endpoint,
        context: ssl.SSLContext | None,
        asks: Mapping[str, tuple[Ask, Callable[[], web.Response]]],
    ) -> None:
        app = web.Application(client_max_size=MOST_OCTETS)
        for path, (ask, later) in asks.items():
            framed = self._framed(path, ask, later)
            app.router.add_get(path, framed, allow_head=False)
            app.router.add_post(path, framed)
        await self._service.listener.open(app, listen, context)

    def close(self) -> None:
        """End the process that proves passwords."""
        self._logins.close()

    def _framed(self, path: str, ask: Ask, later: Callable[[], web.Response]) -> Ask:
        """What every request passes: room, readiness, faults as answers, a line in the log."""
        service, more = self._service, security_headers(self._service.configuration.admin_api)

        async def serve(request: web.Request) -> web.Response:
            began = monotonic()
            service.open_requests += 1
            try:
                if service.open_requests > service.configuration.admin_api.requests_at_once or not service.ready:
                    answer = later()
                else:
                    answer = await ask(request)
            except (DoorBusy, NotCommitted, OutcomeUnknown):
                answer = later()
            except web.HTTPException as fault:
                answer = web.Response(status=fault.status, text=fault.reason)
            except Exception:  # the edge of a request: its fault harms no other
                log.exception("request_failed", extra={"route": path})
                answer = later()
            finally:
                service.open_requests -= 1
            answer.headers.update(more)
            seconds, route = monotonic() - began, f"{request.method} {path}"
            service.requests.requests[route, str(answer.status)] += 1
            service.requests.latency[route].observe(seconds)
            log.info("request", extra={"route": route, "status": answer.status, "ms": round(seconds * 1000, 1)})
            return answer

        return serve

    async def _prove(self, request: web.Request, parameters: Parameters) -> DoorLoginRow | None:
        username = parameters.get("username", b"").decode("utf-8", "replace")
        password = parameters.get("password", b"").decode("utf-8", "replace")
        address = self._service.listener.peers.address_of(request)
        return await self._logins.prove(username, password, address, self._service.book, wall_ms())

    # ------------------------------------------------------------ Kannel

    async def _sendsms(self, request: web.Request) -> web.Response:
        parameters = await _kannel_parameters(request)
        if isinstance(parameters, kannel.Answer):
            return _kannel(parameters)
        login = await self._prove(request, parameters)
        if login is None:
            return _kannel(kannel.NOT_AUTHORIZED)
        message = kannel.read_sendsms(parameters, wall_ms(), login.default_sender)
        if isinstance(message, kannel.Answer):
            return _kannel(message)
        try:
            sent = await send(self._service, login, message)
        except CallbackUnfit:
            return _kannel(kannel.Answer(400, "DLR-URL field misformed, rejected"))
        return _kannel(kannel.answer_of(len(sent.accepted), sent.refused))

    # ------------------------------------------------------------ Jasmin

    async def _send(self, request: web.Request) -> web.Response:
        outcome = await self._try_to_send(request)
        if isinstance(outcome, int):
            return web.Response(text=jasmin.success(outcome))
        return web.Response(status=outcome.status, text=jasmin.failure(outcome))

    async def _try_to_send(self, request: web.Request) -> int | jasmin.Answer:
        """The id of the accepted message, or what is answered instead."""
        parameters = await _jasmin_parameters(request)
        fault = _fault(parameters, jasmin.SEND_FIELDS, ("to", "username", "password"))
        if fault is not None or isinstance(parameters, jasmin.Answer):
            return fault or jasmin.LATER
        fault = jasmin.content_fault(parameters)
        if fault is not None:
            return fault
        login = await self._prove(request, parameters)
        username = parameters["username"].decode("utf-8", "replace")
        if login is None:
            return jasmin.not_authenticated(username)
        message = jasmin.read_send(parameters, wall_ms(), login.default_sender, login.hex_may_be_utf8)
        if isinstance(message, jasmin.Answer):
            return message
        try:
            sent = await send(self._service, login, message)
        except CallbackUnfit:
            return jasmin.invalid("dlr-url", parameters["dlr-url"])
        if sent.accepted:
            return sent.accepted[0].message_id
        return jasmin.refused(next(iter(sent.refused.values())), username)

    async def _rate(self, request: web.Request) -> web.Response:
        parameters = await _jasmin_parameters(request)
        fault = _fault(parameters, jasmin.RATE_FIELDS, ("to", "username", "password"))
        if fault is not None or isinstance(parameters, jasmin.Answer):
            return _jasmin_json(fault or jasmin.LATER)
        login = await self._prove(request, parameters)
        username = parameters["username"].decode("utf-8", "replace")
        if login is None:
            return _jasmin_json(jasmin.not_authenticated(username))
        coding = int(parameters.get("coding", b"0"))
        given = {"content": b""} | parameters if "hex-content" not in parameters else parameters
        content = jasmin.content_of(given, coding, login.hex_may_be_utf8)
        if isinstance(content, jasmin.Answer):
            return _jasmin_json(content)
        service = self._service
        account, policy = service.book.accounts[login.account_id], service.lifecycle.policy.accept
        digits = destination_number(account, policy, parameters["to"].decode(), NO_TON)
        if digits is None:
            return _jasmin_json(jasmin.refused(Refusal.DESTINATION_INVALID, username))
        parts = count_parts(content, coding, False)
        unit = service.book.price_micros(login.account_id, digits) / MICROS_PER_CREDIT
        return _jasmin_json({"submit_sm_count": parts, "unit_rate": unit})

    async def _balance(self, request: web.Request) -> web.Response:
        parameters = await _jasmin_parameters(request)
        fault = _fault(parameters, jasmin.BALANCE_FIELDS, ("username", "password"))
        if fault is not None or isinstance(parameters, jasmin.Answer):
            return _jasmin_json(fault or jasmin.LATER)
        login = await self._prove(request, parameters)
        if login is None:
            return _jasmin_json(jasmin.not_authenticated(parameters["username"].decode("utf-8", "replace")))
        account_id = login.account_id
        left = sum(await self._service.reader.run(lambda connection: api_messages.balance(connection, account_id)))
        return _jasmin_json({"balance": left / MICROS_PER_CREDIT, "sms_count": "ND"})


async def _ping(request: web.Request) -> web.Response:
    await asyncio.sleep(0)  # messages first
    return web.Response(text="Jasmin/PONG")


def _query(request: web.Request) -> bytes:
    """The octets behind the ?, as they came: yarl would write percent-encodings anew."""
    return request.raw_path.partition("?")[2].encode("utf-8", "surrogateescape")


async def _kannel_parameters(request: web.Request) -> Parameters | kannel.Answer:
    octets = _query(request)
    if request.method == "POST":
        body = await read_octets(request)
        if request.content_type != FORM:
            headers = {name.lower(): value for name, value in request.headers.items()}
            return kannel.from_headers(headers, request.content_type, request.charset or "", body)
        octets = octets + b"&" + body
    parameters = read_form(octets)
    return kannel.BODY if parameters is None else kannel.names_of_today(parameters)


async def _jasmin_parameters(request: web.Request) -> Parameters | jasmin.Answer:
    octets = _query(request)
    if request.method == "POST":
        body = await read_octets(request)
        if request.content_type == "application/json":
            return jasmin.from_json(body)
        octets = octets + b"&" + body
    return read_form(octets) or {}


def _fault(
    parameters: Parameters | jasmin.Answer, fields: frozenset[str], mandatory: tuple[str, ...]
) -> jasmin.Answer | None:
    return parameters if isinstance(parameters, jasmin.Answer) else jasmin.fault_of(parameters, fields, mandatory)


def _kannel(answer: kannel.Answer) -> web.Response:
    return web.Response(status=answer.status, text=answer.text, content_type="text/html")


def _kannel_later() -> web.Response:
    return _kannel(kannel.LATER)


def _jasmin_later() -> web.Response:
    return web.Response(status=jasmin.LATER.status, text=jasmin.failure(jasmin.LATER))


def _jasmin_json(found: jasmin.Answer | dict[str, object]) -> web.Response:
    """/rate and /balance answer JSON, faults as one text."""
    if isinstance(found, jasmin.Answer):
        return web.Response(status=found.status, body=msgspec.json.encode(found.text), content_type="application/json")
    return web.Response(body=msgspec.json.encode(found), content_type="application/json")
