"""The French of `route allow-sender` (refused_senders.py): the same rules as french.py.

What belongs here: translations, in the order help, answers, refusals, columns.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

ROUTES: Final = {
    "Send a sender over a connector again whose carrier refused it five times in a row.": (
        "Laisser de nouveau passer un expéditeur par un connecteur dont l'opérateur l'a refusé cinq fois de suite."
    ),
    "sender {sender} goes over {connector} again; its carrier refused it with {status}": (
        "l'expéditeur {sender} passe de nouveau par {connector} ; son opérateur l'avait refusé par {status}"
    ),
    "sender {sender} is not disabled on {connector}": "l'expéditeur {sender} n'est pas désactivé sur {connector}",
    "senders_disabled": "expéditeurs_désactivés",
}
