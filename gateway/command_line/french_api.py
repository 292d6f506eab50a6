"""The French of `admin-api` and `api-key` (api.py): the same rules as french.py.

What belongs here: translations, in the order help, answers, refusals, columns.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

API: Final = {
    "Run the HTTP API until SIGTERM or Ctrl-C.": "Faire tourner l'API HTTP jusqu'à SIGTERM ou Ctrl-C.",
    "Logins by HTTP.": "Les accès par HTTP.",
    "What it is for, in your words.": "À quoi elle sert, dans vos mots.",
    "What it may do; several times. Else: all.": "Ce qu'elle permet ; plusieurs fois. Sinon : tout.",
    "Requests a second; 0: no limit.": "Requêtes par seconde ; 0 : sans limite.",
    "Class of messages that name none.": "Classe des messages qui n'en disent pas.",
    "It ends after so many days.": "Elle prend fin après tant de jours.",
    "Give an account a key; it is shown this once.": "Donner une clé à un compte ; elle n'est montrée qu'ici.",
    "The keys, by the part of them that may be seen.": "Les clés, par la partie qu'on peut voir.",
    "Hours the former key lives on.": "Heures que vit encore l'ancienne clé.",
    "Give a new key in place of one, which lives on for a while.": (
        "Donner une nouvelle clé à la place d'une autre, qui vit encore un temps."
    ),
    "End a key within a second.": "Mettre fin à une clé en une seconde.",
    "Of one account alone.": "D'un seul compte.",
    "key {prefix} is revoked": "la clé {prefix} est révoquée",
    "keep it: it is shown this once; its name here is {prefix}": (
        "gardez-la : elle n'est montrée qu'ici ; son nom est {prefix}"
    ),
    "HTTP API {url}, its pages {url}/docs; try, in another terminal:": (
        "API HTTP {url}, ses pages {url}/docs ; essayez, dans un autre terminal :"
    ),
    "the HTTP API": "le processus de l'API HTTP",
    "no living key {prefix}": "aucune clé vivante {prefix}",
    "scope {name} is unknown": "le droit {name} est inconnu",
    "prefix": "préfixe",
    "scopes": "droits",
    "requests_per_s": "requêtes_par_s",
    "expires_at": "fin_le",
    "revoked_at": "révoquée_le",
}
