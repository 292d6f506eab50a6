"""The French of the commands about limits and secrets of logins (logins.py): the same rules as french.py.

What belongs here: translations, in the order help, answers, refusals and remedies, columns.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

LOGINS: Final = {
    "Address or network it may come from, in place of all before.": (
        "Adresse ou réseau d'où il peut venir, à la place de tous les précédents."
    ),
    "An SMPP login.": "Un identifiant SMPP.",
    "Answer a wrong password with 0x0E, not 0x0D.": "Répondre 0x0E, et non 0x0D, à un mot de passe faux.",
    "After an absence: oldest, or newest.": "Après une absence : oldest (anciens), ou newest (récents).",
    "Change limits and wishes of an SMPP login; what is not named stays.": (
        "Changer les limites et les souhaits d'un identifiant SMPP ; ce qui n'est pas nommé reste."
    ),
    "Of a message that we cut into parts.": "D'un message que nous coupons en segments.",
    "Show what was changed of an SMPP login, newest first; a password only that it was.": (
        "Montrer ce qui fut changé d'un identifiant SMPP, le plus récent d'abord ; d'un mot de passe, rien d'autre."
    ),
    "became": "devenu",
    "changed_at": "changé_le",
    "field": "champ",
    "former": "ancien",
    "order {name} is unknown": "l'ordre {name} est inconnu",
    "Change the rates of an account; what is not named stays.": (
        "Changer les débits d'un compte ; ce qui n'est pas nommé reste."
    ),
    "End the binds of an SMPP login and take no new ones; what was accepted is still sent.": (
        "Finir les binds d'un identifiant SMPP et n'en plus prendre ; ce qui fut accepté part encore."
    ),
    "Give an SMPP login a new password; the former one binds too, until the grace ends or the new is confirmed.": (
        "Donner un nouveau mot de passe à un identifiant SMPP ; l'ancien lie aussi, jusqu'à la fin du délai ou la "
        "confirmation du nouveau."
    ),
    "Hours for which the former password binds too.": "Heures pendant lesquelles l'ancien mot de passe lie aussi.",
    "It may come from anywhere.": "Il peut venir de partout.",
    "Let a suspended SMPP login bind again.": "Laisser un identifiant SMPP suspendu se lier de nouveau.",
    "No new password: end the former one now, with the binds made by it.": (
        "Pas de nouveau mot de passe : finir l'ancien maintenant, avec les binds qu'il a ouverts."
    ),
    "Parts a day (UTC); 0: no limit.": "Segments par jour (UTC) ; 0 : sans limite.",
    "Parts a minute; 0: no limit.": "Segments par minute ; 0 : sans limite.",
    "Parts a second over all its logins; 0: no limit.": (
        "Segments par seconde sur tous ses identifiants ; 0 : sans limite."
    ),
    "Receivers among them; 0: none.": "Dont récepteurs ; 0 : aucun.",
    "Transceivers among them; 0: none.": "Dont émetteurs-récepteurs ; 0 : aucun.",
    "Transmitters among them; 0: none.": "Dont émetteurs ; 0 : aucun.",
    "ESME {system_id} binds with its newest password only": (
        "l'ESME {system_id} ne se lie plus qu'avec son dernier mot de passe"
    ),
    "ESME {system_id} has a new password; the former one binds until {until}": (
        "l'ESME {system_id} a un nouveau mot de passe ; l'ancien lie jusqu'à : {until}"
    ),
    "ESME {system_id} is changed: {changed}": "l'ESME {system_id} est changé : {changed}",
    "ESME {system_id} is suspended": "l'ESME {system_id} est suspendu",
    "ESME {system_id} may bind again": "l'ESME {system_id} peut de nouveau se lier",
    "account {name}: {tps} parts a second, {per_minute} a minute, {per_day} a day (0: no limit)": (
        "compte {name} : {tps} segments par seconde, {per_minute} par minute, {per_day} par jour (0 : sans limite)"
    ),
    "now": "maintenant",
    "--allow and --allow-anywhere contradict each other": "--allow et --allow-anywhere se contredisent",
    "ESME {name} has no former password": "l'ESME {name} n'a pas d'ancien mot de passe",
    "nothing to change was named": "rien à changer n'est nommé",
    "to give it a new one: passerelle esme rotate {name} --password-stdin": (
        "pour lui en donner un nouveau : passerelle esme rotate {name} --password-stdin"
    ),
    "write one of them": "écrivez l'un des deux",
    "former_password_until": "ancien_mot_de_passe_jusque",
    "max_receivers": "récepteurs_max",
    "max_transceivers": "émetteurs_récepteurs_max",
    "max_transmitters": "émetteurs_max",
    "per_day": "par_jour",
    "per_minute": "par_minute",
}
