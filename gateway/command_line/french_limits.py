"""The French of customers' limits over several nodes, and of Redis: sentence by sentence, as `say` is asked for them.

What belongs here: what doctor and binds say of them.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

LIMITS: Final = {
    "does not answer: {why}; until it does, each node keeps its share of customers' limits": (
        "ne répond pas : {why} ; d'ici là, chaque nœud garde sa part des limites des clients"
    ),
    "{nodes} nodes without Redis: each keeps its share of customers' limits": (
        "{nodes} nœuds sans Redis : chacun garde sa part des limites des clients"
    ),
    "start it, or correct [redis] url": "lancez-le, ou corrigez [redis] url",
    "upgrade it: {oldest} is the oldest": "mettez-le à jour : {oldest} est la plus ancienne version",
    "node {name} does not reach Redis: it keeps its share of customers' limits": (
        "le nœud {name} n'atteint pas Redis : il garde sa part des limites des clients"
    ),
}
