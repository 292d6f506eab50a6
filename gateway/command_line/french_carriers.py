"""The French of `passerelle connector` and `esme unbind`: English sentence, French sentence, the same gaps in both.

What belongs here: translations, in the order help, answers, refusals, columns.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

CARRIERS: Final = {
    "Drain a connector and end its binds; it stays so, also over restarts, until it is started.": (
        "Vider un connecteur et fermer ses liaisons ; il reste ainsi, même après un redémarrage, jusqu'à son démarrage."
    ),
    "End the binds of a connector once nothing is owed on them, and bind anew.": (
        "Fermer les liaisons d'un connecteur dès que plus rien n'y est dû, et les rouvrir."
    ),
    "End the binds of an SMPP login now; it may bind again at once, unless it is suspended.": (
        "Fermer maintenant les liaisons d'un identifiant SMPP ; "
        "il peut se lier de nouveau aussitôt, sauf s'il est suspendu."
    ),
    "Let a drained or stopped connector send again.": "Laisser un connecteur vidé ou arrêté émettre de nouveau.",
    "Send nothing new by a connector; what waits goes by other routes, its receipts still come.": (
        "Ne plus rien envoyer de neuf par un connecteur ; ce qui attend prend d'autres routes, "
        "ses accusés arrivent encore."
    ),
    "Show a connector node by node, with its binds.": "Montrer un connecteur nœud par nœud, avec ses liaisons.",
    "Show the connectors: what is wished of each, and how it stands over all nodes.": (
        "Montrer les connecteurs : ce qui est voulu de chacun, et son état sur tous les nœuds."
    ),
    "Ways out: carriers and their binds.": "Les sorties : les opérateurs et leurs liaisons.",
    "connector {name} binds anew": "le connecteur {name} rouvre ses liaisons",
    "connector {name} is drained: nothing new is sent by it": (
        "le connecteur {name} se vide : rien de neuf n'est envoyé par lui"
    ),
    "connector {name} is stopped: nothing new is sent by it, its binds end": (
        "le connecteur {name} est arrêté : rien de neuf n'est envoyé par lui, ses liaisons se ferment"
    ),
    "connector {name} runs": "le connecteur {name} est en service",
    "the binds of ESME {system_id} end": "les liaisons de l'ESME {system_id} se ferment",
    "done": "fait",
    "not done yet": "pas encore fait",
    "away: it does it when it is back": "absent : il le fera à son retour",
    "a node could not: {why}": "un nœud n'a pas pu : {why}",
    "look at: passerelle binds": "voir : passerelle binds",
    "this node does not configure it": "ce nœud ne le configure pas",
    "this node heard of it too late, and did nothing": "ce nœud l'a appris trop tard, et n'a rien fait",
    "wish": "consigne",
    "bound": "liées",
    "rate_per_s": "débit_par_s",
    "last_fault": "dernière_panne",
    "last_fault_at": "dernière_panne_à",
    "rebound": "rouvertes",
    "ended": "fermées",
    "open": "en_cours",
}
