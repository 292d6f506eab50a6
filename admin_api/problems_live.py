"""Problems of event streams, of searches and of exports; rows of the one table (problems.py).

Source: RFC 9457. Codes never change their meaning.
What must not enter: problems of other matters.
"""

from __future__ import annotations

from typing import Final

from admin_api.languages import Words
from admin_api.problem_kind import ProblemKind

OF_LIVE: Final = (
    ProblemKind(
        "too_many_streams",
        429,
        Words("The account listens as often as it may.", "Le compte écoute déjà autant de fois que permis."),
        Words("Close a stream, or share one.", "Fermez un flux, ou partagez-en un."),
        permanent=False,
        retry_after_s=30,
    ),
    ProblemKind(
        "streams_full",
        503,
        Words("This process has as many listeners as it may.", "Ce processus a autant d'auditeurs que permis."),
        Words("Come again later; tell your operator.", "Revenez plus tard ; prévenez votre opérateur."),
        permanent=False,
        retry_after_s=30,
    ),
    ProblemKind(
        "stream_too_slow",
        503,
        Words("The stream was read too slowly.", "Le flux était lu trop lentement."),
        Words(
            "Connect again with the last `id`: what was left out comes then.",
            "Reconnectez-vous avec le dernier `id` : ce qui manque viendra alors.",
        ),
        permanent=False,
        retry_after_s=1,
    ),
)
