"""Addresses of what operators look at: messages, delivery reports, their exports; statistics; alarms.

What belongs here: rows. A row is added as docs/api-inside.md says.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

from admin_api import alarms, event_streams, exports, message_search, statistics
from admin_api import models_alarms as ma
from admin_api import models_live as mv
from admin_api import models_search as ms
from admin_api import models_statistics as mt
from admin_api.console_feed import PERMISSION
from admin_api.languages import Words
from admin_api.route import Route

SHEETS: Final = ("text/csv", exports.XLSX_TYPE)

LIVE: Final[tuple[Route, ...]] = (
    Route(
        method="GET",
        path="/v1/admin/messages",
        permission="messages.read",
        group="search",
        summary=Words(
            "Find messages of any account, newest first", "Trouver des messages, du plus récent au plus ancien"
        ),
        answer=message_search.show_messages,
        query=ms.SearchMessages,
        answers=(ms.FoundMessages,),
        problems=("not_found", "search_unbounded"),
    ),
    Route(
        method="GET",
        path="/v1/admin/messages/export",
        permission="messages.export",
        group="search",
        summary=Words("Messages as CSV or XLSX", "Les messages en CSV ou XLSX"),
        answer=exports.export_messages,
        query=ms.ExportMessages,
        answers=(),
        gives_file=True,
        file_types=SHEETS,
        problems=("not_found", "search_unbounded", "too_many_exports"),
    ),
    Route(
        method="GET",
        path="/v1/admin/messages/{id}",
        permission="messages.read",
        group="search",
        summary=Words("One message, its timeline and what it waits for", "Un message, sa chronologie, ce qu'il attend"),
        answer=message_search.trace,
        answers=(ms.TracedMessage,),
        problems=("not_found",),
    ),
    Route(
        method="GET",
        path="/v1/admin/delivery-reports",
        permission="messages.read",
        group="search",
        summary=Words(
            "Find ended messages, newest first", "Trouver les messages terminés, du plus récent au plus ancien"
        ),
        answer=message_search.show_reports,
        query=ms.SearchReports,
        answers=(ms.FoundMessages,),
        problems=("not_found", "search_unbounded"),
    ),
    Route(
        method="GET",
        path="/v1/admin/delivery-reports/export",
        permission="messages.export",
        group="search",
        summary=Words("Delivery reports as CSV or XLSX", "Les accusés en CSV ou XLSX"),
        answer=exports.export_reports,
        query=ms.ExportReports,
        answers=(),
        gives_file=True,
        file_types=SHEETS,
        problems=("not_found", "search_unbounded", "too_many_exports"),
    ),
    Route(
        method="POST",
        path="/v1/admin/delivery-reports/replay",
        permission="messages.write",
        group="search",
        summary=Words("Tell an account again what became of a span", "Redire à un compte le sort d'une période"),
        answer=message_search.replay,
        body=ms.ReplayReports,
        answers=(ms.ReplayAsked,),
        status=202,
        problems=("not_found",),
    ),
    Route(
        method="GET",
        path="/v1/admin/events/stream",
        permission=PERMISSION,
        group="alarms",
        summary=Words(
            "Nodes, connectors, queues and alarms as they change", "Nœuds, connecteurs, files et alarmes en direct"
        ),
        answer=event_streams.listen_to_all,
        query=mv.AskConsoleStream,
        answers=(),
        gives_stream=True,
        problems=("too_many_streams", "streams_full", "stream_too_slow"),
    ),
    Route(
        method="GET",
        path="/v1/admin/statistics",
        permission="statistics.read",
        group="statistics",
        summary=Words(
            "Counts, success, latency and money, by what is asked", "Nombres, réussite, délais et argent, par critère"
        ),
        answer=statistics.show_all,
        query=mt.AskStatistics,
        answers=(mt.Statistics,),
        problems=("search_unbounded",),
    ),
    Route(
        method="GET",
        path="/v1/admin/alarms",
        permission="alarms.read",
        group="alarms",
        summary=Words("What is wrong, and what was", "Ce qui ne va pas, et ce qui n'allait pas"),
        answer=alarms.show_page,
        query=ma.ListAlarms,
        answers=(ma.Alarms,),
    ),
    Route(
        method="POST",
        path="/v1/admin/alarms/{id}/acknowledge",
        permission="alarms.write",
        group="alarms",
        summary=Words("Say that one knows of an alarm", "Dire qu'on a vu une alarme"),
        answer=alarms.acknowledge,
        body=ma.AcknowledgeAlarm,
        answers=(ma.Alarm,),
        problems=("not_found",),
    ),
)
