"""The one way of every request: proven, counted, read, answered, told.

Source: RFC 9110, RFC 9457. The order: room, key, rate, scope, body, model, resource. An answer carries its request id
and the headers that keep browsers from mischief; a log line has no secret, no text, no number.
What must not enter: what a resource does (routes.py names it), SQL.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from time import monotonic, time_ns
from typing import Final

import msgspec
from aiohttp import web

from admin_api import docs_page, error_catalogue, openapi
from admin_api.access import access_refusal
from admin_api.graphql import served as graphql
from admin_api.idempotency import key_fault
from admin_api.keys import Caller
from admin_api.languages import Language, choose_language
from admin_api.octets import UNREADABLE, UPLOAD_S, read_octets, refuse_packed
from admin_api.problems import ERRORS, Fault, Problem, members
from admin_api.reading import NOT_READ, read_body, read_texts
from admin_api.roles import OPEN
from admin_api.route import BY_FIELD, Route
from admin_api.routes import ROUTES
from admin_api.security_headers import security_headers
from admin_api.service import JSON_TYPE, Answer, Call, Service
from admin_api.sessions import Operator
from gateway.storage.group_commit import NotCommitted, OutcomeUnknown

log = logging.getLogger("passerelle.api")

CSV: Final = "text/csv; charset=utf-8"
PROBLEM_JSON: Final = "application/problem+json"
ID: Final = web.RequestKey("id", str)
ASKED_BY: Final = web.RequestKey("asked_by", object)
LANGUAGE: Final = web.RequestKey("language", str)

Stream = Callable[[web.Request, web.StreamResponse], Awaitable[None]]
Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]
encode = msgspec.json.Encoder().encode


def build(service: Service) -> web.Application:
    """The application with every route of the table."""
    app = web.Application(client_max_size=service.configuration.admin_api.body_octets)
    frame = _Frame(service)
    app.middlewares.append(frame.around)  # type: ignore[arg-type]  # aiohttp's name of an argument
    for route in ROUTES:
        app.router.add_route(route.method, route.path, frame.serve(route))
    for path, page in (
        ("/openapi.json", openapi.page),
        ("/docs", docs_page.page),
        (ERRORS, error_catalogue.page),
        ("/graphql/schema", graphql.page),
    ):
        app.router.add_get(path, _opened(page))
    return app


def _opened(page: Callable[[Language], tuple[bytes, str]]) -> Serve:
    """What everybody may read, in the language asked for by ?lang= or Accept-Language."""

    async def serve(request: web.Request) -> web.Response:
        body, content_type = await asyncio.to_thread(page, _language(request))  # messages first
        return web.Response(body=body, content_type=content_type, charset="utf-8")

    return serve


def _language(request: web.Request, otherwise: Language = "en") -> Language:
    asked = request.query.get("lang", "") or request.headers.get("Accept-Language", "")
    return choose_language(asked, otherwise)


class _Frame:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._more = security_headers(service.configuration.admin_api)

    @web.middleware
    async def around(self, request: web.Request, **within: Serve) -> web.StreamResponse:
        """The frame of every answer, whatever was asked. within: what answers, by aiohttp's name for it."""
        (serve,) = within.values()
        began = monotonic()
        request[ID] = request_id = secrets.token_hex(12)
        service = self._service
        service.open_requests += 1
        try:
            if service.open_requests > service.configuration.admin_api.requests_at_once:
                answer: web.StreamResponse = self._problem(request, Problem("overloaded"))
            elif not service.ready:
                answer = self._problem(request, Problem("draining"))
            else:
                answer = await serve(request)
        except UNREADABLE:
            answer = self._problem(request, _of_http(web.HTTPBadRequest()))
        except web.HTTPException as fault:
            answer = self._problem(request, _of_http(fault), fault.headers.get("Allow"))
        except NotCommitted:
            answer = self._problem(request, Problem("database_away"))
        except OutcomeUnknown:
            answer = self._problem(request, Problem("outcome_unknown"))
        except Exception:  # the edge of a request: its fault is told, and harms no other
            log.exception("request_failed", extra={"request_id": request_id, "route": _route_of(request)})
            answer = self._problem(request, Problem("internal_fault"))
        finally:
            service.open_requests -= 1
        if not answer.prepared:  # a stream told them as it began
            answer.headers["X-Request-Id"] = request_id
            answer.headers.update(self._more)
        self._tell(request, answer.status, monotonic() - began, answer.prepared)
        return answer

    def _tell(self, request: web.Request, status: int, seconds: float, streamed: bool) -> None:
        route = _route_of(request)
        self._service.requests.requests[route, str(status)] += 1
        if not streamed:
            self._service.requests.latency[route].observe(seconds)
        asked_by: Caller | Operator | None = request.get(ASKED_BY)
        told = {"request_id": request[ID], "route": route, "status": status, "ms": round(seconds * 1000, 1)}
        if isinstance(asked_by, Caller):
            told |= {"account": asked_by.account.name, "key": asked_by.key.prefix}
        elif asked_by is not None:
            told |= {"user": asked_by.name}
        log.info("request", extra=told)

    def serve(self, route: Route) -> Serve:
        """A route of the table as aiohttp wants it."""
        name = f"{route.method} {route.path}"

        async def serve(request: web.Request) -> web.StreamResponse:
            call = await self._read(request, route, name)
            if isinstance(call, Problem):
                return self._problem(request, call)
            answer = await self._answer(route, call)
            if isinstance(answer, Problem):
                return self._problem(request, answer, language=call.language)
            if answer.file is not None:
                return web.FileResponse(answer.file, headers={"Content-Type": CSV} | answer.headers)
            if answer.stream is not None:
                return await self._stream(request, answer, answer.stream)
            return _response(answer, answer.status or route.status)

        return serve

    async def _stream(self, request: web.Request, answer: Answer, write: Stream) -> web.StreamResponse:
        """What is written piece by piece, and is no open request: past its head nothing becomes a problem."""
        response = web.StreamResponse(headers=self._more | answer.headers | {"X-Request-Id": request[ID]})
        await response.prepare(request)
        self._service.open_requests -= 1
        try:
            await write(request, response)
            await response.write_eof()
        except ConnectionError:
            pass  # the client left
        except Exception:  # the edge of a request: its head is written already
            log.exception("request_failed", extra={"request_id": request[ID], "route": _route_of(request)})
            if request.transport is not None:
                request.transport.abort()  # so that nobody takes it for whole
        finally:
            self._service.open_requests += 1
        return response

    async def _answer(self, route: Route, call: Call) -> Answer | Problem:
        if call.request is None or not route.takes_file:
            return await route.answer(self._service, call)
        refuse_packed(call.request)
        try:
            async with asyncio.timeout(UPLOAD_S):
                return await route.answer(self._service, call)
        except TimeoutError:
            return Problem("too_slow")

    async def _read(self, request: web.Request, route: Route, name: str) -> Call | Problem:
        if route.permission == OPEN:
            asked_by: Caller | Operator | Problem | None = None
        elif route.scope and not (route.scope == BY_FIELD and self._service.sessions.is_brought_by(request)):
            asked_by = await self._customer(request, route)
        else:
            asked_by = await self._operator(request, route)
        if isinstance(asked_by, Problem):
            return asked_by
        request[LANGUAGE] = language = _language(request, "en" if asked_by is None else _language_of(asked_by))
        call = Call(asked_by, language, time_ns() // 1_000_000, dict(request.match_info), route=name)
        call.address, call.request_id = self._service.listener.peers.address_of(request), request[ID]
        call.agent = request.headers.get("User-Agent", "")
        faults: list[Fault] = []
        if route.query is not None:
            query = read_texts(route.query, {k: v for k, v in request.query.items() if k != "lang"}, "query")
            if isinstance(query, Problem):
                faults += query.errors
            call.query = query
        if route.takes_file or route.gives_stream:
            call.request = request
        if route.body is not None:
            body = await self._body(request, route, call)
            if isinstance(body, Problem):
                if body.code != "invalid_request":
                    return body
                faults += body.errors
            call.body = body
        return Problem("invalid_request", errors=faults) if faults else call

    async def _customer(self, request: web.Request, route: Route) -> Caller | Problem:
        service, now = self._service, monotonic()
        address = service.listener.peers.address_of(request)
        caller = await service.keys.prove(request.headers.get("Authorization", ""), address, service.book, now)
        if isinstance(caller, Problem):
            return caller
        request[ASKED_BY] = caller
        request[LANGUAGE] = _language(request, _language_of(caller))
        refusal = service.keys.refusal(caller.key, now)
        if refusal is not None:
            return refusal
        return access_refusal(caller, route, service.sessions) or caller

    async def _operator(self, request: web.Request, route: Route) -> Operator | Problem:
        operator = await self._service.sessions.prove(request)
        if isinstance(operator, Problem):
            return operator
        request[ASKED_BY] = operator
        request[LANGUAGE] = _language(request, _language_of(operator))
        return access_refusal(operator, route, self._service.sessions) or operator

    async def _body(self, request: web.Request, route: Route, call: Call) -> object | Problem:
        if request.content_type != JSON_TYPE:
            return Problem("not_a_json_request")
        call.octets = await read_octets(request)
        call.idempotency_key = request.headers.get("Idempotency-Key", "")
        if fault := key_fault(call.idempotency_key):
            return Problem("invalid_request", errors=[fault])
        assert route.body is not None
        return read_body(route.body, call.octets)

    def _problem(
        self, request: web.Request, problem: Problem, allow: str | None = None, language: Language | None = None
    ) -> web.Response:
        told = members(problem, language or ("fr" if request.get(LANGUAGE, _language(request)) == "fr" else "en"))
        told["request_id"] = request[ID]
        headers = {"Allow": allow} if allow else {}
        if "retry_after" in told:
            headers["Retry-After"] = str(told["retry_after"])
        if problem.code in ("unauthenticated", "not_signed_in"):
            headers["WWW-Authenticate"] = 'Bearer realm="passerelle"'
        return web.Response(body=encode(told), status=told["status"], content_type=PROBLEM_JSON, headers=headers)


OF_STATUS: Final = {
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "body_too_large",
    415: "body_packed",
}


def _language_of(asked_by: Caller | Operator) -> Language:
    spoken = asked_by.key.language if isinstance(asked_by, Caller) else asked_by.language
    return "fr" if spoken == "fr" else "en"


def _response(answer: Answer, status: int) -> web.Response:
    if answer.value is None:
        return web.Response(status=status, headers=answer.headers)
    body = answer.value if isinstance(answer.value, bytes) else encode(answer.value)
    response = web.Response(body=body, status=status, content_type=answer.media_type, headers=answer.headers)
    if answer.cookie is not None:
        name, value, secure, max_age_s = msgspec.structs.astuple(answer.cookie)
        kept = {"max_age": max_age_s, "path": "/", "secure": secure, "httponly": True, "samesite": "Strict"}
        response.set_cookie(name, value, **kept)
    return response


def _of_http(fault: web.HTTPException) -> Problem:
    if fault.status == web.HTTPBadRequest.status_code:
        return Problem("invalid_request", errors=[Fault(("body",), "unreadable", NOT_READ)])
    return Problem(OF_STATUS.get(fault.status, "invalid_request"))


def _route_of(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return f"{request.method} {resource.canonical}" if resource is not None else "unknown"
