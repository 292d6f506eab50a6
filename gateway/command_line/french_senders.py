"""The French of deciding sender names: sentence by sentence, as `say` is asked for them.

What belongs here: what `passerelle sender` says of decisions.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

SENDERS: Final = {
    "Why, although the name looks like a protected one.": "Pourquoi, bien que le nom ressemble à un nom protégé.",
    "sender name {name} is {state}: nothing of that kind follows": (
        "le nom d'émetteur {name} est à l'état {state} : cette décision ne peut pas suivre"
    ),
    "look at: passerelle sender list --account {account}": "voyez : passerelle sender list --account {account}",
    "{name} looks like {original}, which is protected": "{name} ressemble à {original}, qui est protégé",
    "if it may be used all the same, say why: --override TEXT": (
        "s'il peut servir malgré cela, dites pourquoi : --override TEXTE"
    ),
}
