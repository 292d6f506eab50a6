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
    ProblemKind(
        "search_unbounded",
        422,
        Words("This search has no bounds.", "Cette recherche n'a pas de bornes."),
        Words(
            "Name an account_id, or since and until at most 31 days apart (366 days with an account_id).",
            "Donnez un account_id, ou since et until à 31 jours au plus (366 jours avec un account_id).",
        ),
    ),
    ProblemKind(
        "too_many_exports",
        503,
        Words("Other exports are being written.", "D'autres exports sont en cours."),
        Words("Come again in a moment.", "Revenez dans un instant."),
        permanent=False,
        retry_after_s=10,
    ),
)
