"""The French of `passerelle notices` and `passerelle mail`.

What belongs here: sentences, in the order of the alphabet.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

NOTICES: Final = {
    "--low-balance is of an account": "--low-balance concerne un compte",
    "By SMS; several times. -: nowhere.": "Par SMS ; plusieurs fois. - : nulle part.",
    "Credits; -: never told.": "En crédits ; - : jamais prévenu.",
    "EVENT=email,sms or EVENT=-; several times.": "ÉVÉNEMENT=email,sms ou ÉVÉNEMENT=- ; plusieurs fois.",
    "Of what is written: fr or en.": "De ce qui est écrit : fr ou en.",
    "Say where an account, or the house, is told of what; what is not named stays.": (
        "Dire où un compte, ou la maison, est prévenu, et de quoi ; ce qui n'est pas nommé reste."
    ),
    "Send a letter by the configured server, now, and say what it answered.": (
        "Envoyer tout de suite une lettre par le serveur configuré, et dire ce qu'il a répondu."
    ),
    "Send again what has ended, as new letters that no receiver takes for duplicates.": (
        "Renvoyer ce qui est terminé, en lettres nouvelles qu'aucun destinataire ne prend pour des doubles."
    ),
    "Show what was, and is to be, sent, the newest first, with what the last try found.": (
        "Montrer ce qui a été et sera envoyé, du plus récent au plus ancien, avec le résultat du dernier essai."
    ),
    "Show where an account, or the house, is told of what.": (
        "Montrer où un compte, ou la maison, est prévenu, et de quoi."
    ),
    "The account; without: the house, for its administrators.": "Le compte ; sans : la maison, ses administrateurs.",
    "The mail server that notices go by.": "Le serveur de courrier des avis.",
    "Their numbers in the list.": "Leurs numéros dans la liste.",
    "What people are told by e-mail and SMS.": "Ce dont on prévient par e-mail et SMS.",
    "Where; several times. -: nowhere.": "Où ; plusieurs fois. - : nulle part.",
    "Who gets the letter.": "Qui reçoit la lettre.",
    "add it: docs/notices.md shows how": "ajoutez-le : docs/notices.fr.md montre comment",
    "address": "adresse",
    "channel": "canal",
    "channel {name} is unknown": "le canal {name} est inconnu",
    "channels": "canaux",
    "emails": "e-mails",
    "event": "événement",
    "language": "langue",
    "language {name} is unknown": "la langue {name} est inconnue",
    "look at: passerelle notices list": "voyez : passerelle notices list",
    "low_balance": "crédit_bas",
    "more than {limit} addresses": "plus de {limit} adresses",
    "name a shared mailbox": "indiquez une boîte partagée",
    "name the account": "indiquez le compte",
    "notice": "avis",
    "notice {number} is unknown, or on its way": "l'avis {number} est inconnu, ou en route",
    "notices to be sent again: {count}": "avis à renvoyer : {count}",
    "phones": "téléphones",
    "put [mail] right: host, port, tls, user, password, sender": (
        "corrigez [mail] : host, port, tls, user, password, sender"
    ),
    "there is no [mail] in the configuration": "il n'y a pas de [mail] dans la configuration",
    "why": "pourquoi",
    "write it with its country code: +229...": "écrivez-le avec son indicatif : +229...",
    "write one like name@example.net": "écrivez par exemple nom@example.net",
    "{host} took the letter for {address}": "{host} a pris la lettre pour {address}",
    "{place} did not take the letter: {why}": "{place} n'a pas pris la lettre : {why}",
    "{text} is no e-mail address": "{text} n'est pas une adresse e-mail",
    "{text} is no phone number": "{text} n'est pas un numéro de téléphone",
}
