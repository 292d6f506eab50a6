"""The French of `door-login` (door_logins.py): the same rules as french.py.

What belongs here: translations, in the order help, answers, refusals, columns.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

DOORS: Final = {
    "Logins by the HTTP of Kannel and Jasmin.": "Les accès par le HTTP de Kannel et de Jasmin.",
    "As the program sends it: 1 to 64 octets, Jasmin's clients 16.": (
        "Comme le programme l'envoie : de 1 à 64 octets, 16 pour les clients de Jasmin."
    ),
    "Sender of requests that name none.": "Émetteur des requêtes qui n'en nomment pas.",
    "Of one account only.": "D'un seul compte.",
    "Class of its messages.": "Classe de ses messages.",
    "Jasmin's hex-content of coding 8 may be UTF-8.": "Le hex-content de Jasmin, en coding 8, peut être de l'UTF-8.",
    "Give an account a name and a password for /cgi-bin/sendsms and /send.": (
        "Donner à un compte un nom et un mot de passe pour /cgi-bin/sendsms et /send."
    ),
    "The logins, without their passwords.": "Les accès, sans leurs mots de passe.",
    "End a login within a second; its name stays taken.": "Mettre fin à un accès en une seconde ; son nom reste pris.",
    "login {name} may send": "l'accès {name} peut envoyer",
    "login {name} is revoked": "l'accès {name} est révoqué",
    "login {name} exists": "l'accès {name} existe",
    "choose another name, or revoke that one": "choisir un autre nom, ou révoquer celui-là",
    "no living login {name}": "aucun accès vivant {name}",
    "the {what} has {count} octets, or such as nobody can type": (
        "{what} : {count} octets, ou de ceux que personne ne peut taper"
    ),
    "write 1 to {limit} octets": "écrire de 1 à {limit} octets",
    "default_sender": "émetteur_par_défaut",
    "password": "mot_de_passe",
    "username": "nom_d'accès",
}
