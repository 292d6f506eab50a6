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
    "submit_within_ms": "envoyés en (ms)",
    "deliver_within_ms": "remis en (ms)",
    "unknown": "inconnus",
    "class": "classe",
}
