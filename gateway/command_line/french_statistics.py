"""The French of statistics: sentence by sentence, as `say` is asked for them.

What belongs here: what `passerelle statistics` says, its columns among it.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

STATISTICS: Final = {
    "Show what became of messages, and what it cost their accounts.": (
        "Montrer le sort des messages, et ce qu'ils ont coûté à leurs comptes."
    ),
    "day, hour, account, connector, class, country, operator.": (
        "day (jour), hour (heure), account (compte), connector, class, country (pays), operator (opérateur)."
    ),
    "{name} is unknown": "{name} est inconnu",
    "success": "réussite",
    "charged": "facturé",
    "p95_submit_ms": "envoi p95 (ms)",
    "p95_deliver_ms": "remise p95 (ms)",
    "unknown": "inconnus",
    "class": "classe",
}
