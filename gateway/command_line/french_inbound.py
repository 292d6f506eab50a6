"""The French of `passerelle inbound`: English sentence, French sentence, the same gaps in both.

What belongs here: translations of gateway.command_line.inbound, columns last; french.py has all others.
A word without translation shows in English. What must not enter: code.
"""

from __future__ import annotations

from typing import Final

FRENCH_INBOUND: Final = {
    "What handsets send.": "Ce que les téléphones envoient.",
    "Whose handsets' messages are.": "À qui vont les messages des téléphones.",
    "Who wants to hear no more.": "Qui ne veut plus rien recevoir.",
    "Number or short code, prefix like 2290*, or '*' for all.": (
        "Numéro ou numéro court, préfixe comme 2290*, ou '*' pour tous."
    ),
    "Only messages whose first word it is.": "Seulement les messages dont c'est le premier mot.",
    "Give what handsets send to a number, or with a keyword, to an ESME.": (
        "Donner à un ESME ce que les téléphones envoient à un numéro, ou avec un mot-clé."
    ),
    "Show whose handsets' messages are, the most particular first.": (
        "Montrer à qui vont les messages des téléphones, le plus précis d'abord."
    ),
    "Take a route of inbound messages away.": "Retirer une route de messages reçus.",
    "Only what nobody got.": "Seulement ce que personne n'a reçu.",
    "Show the newest messages from handsets, and why they went where they went.": (
        "Montrer les derniers messages des téléphones, et pourquoi ils sont allés là."
    ),
    "Show everything about one message from a handset.": "Tout montrer d'un message d'un téléphone.",
    "To this system_id; else by the routes as they are.": "À ce system_id ; sinon selon les routes actuelles.",
    "Give a message that nobody got to an ESME.": "Donner à un ESME un message que personne n'a reçu.",
    "Show who wants to hear no more, and who came back, newest first.": (
        "Montrer qui ne veut plus rien recevoir, et qui est revenu, les derniers d'abord."
    ),
    "The person's number, with its country code.": "Le numéro de la personne, avec l'indicatif du pays.",
    "Who must not write to it any more.": "Qui ne doit plus lui écrire.",
    "Who may write to it again.": "Qui peut lui écrire à nouveau.",
    "How the person said so.": "Comment la personne l'a dit.",
    "Write down that a person wants to hear no more from an account.": (
        "Noter qu'une personne ne veut plus rien recevoir d'un compte."
    ),
    "Write down that a person wants to hear from an account again.": (
        "Noter qu'une personne veut à nouveau recevoir les messages d'un compte."
    ),
    "The account.": "Le compte.",
    "fr or en.": "fr ou en.",
    "Choose the language in which an account's STOP, START and HELP are answered.": (
        "Choisir la langue des réponses aux STOP, START et AIDE d'un compte."
    ),
    "system_id of the login.": "system_id de l'accès.",
    "joined or parts.": "joined (réunis) ou parts (en parties).",
    "Choose whether an ESME gets long messages joined, or in parts as they came.": (
        "Choisir si un ESME reçoit les messages longs réunis, ou en parties comme ils sont venus."
    ),
    "{text} is not a number handsets write to": "{text} n'est pas un numéro auquel des téléphones écrivent",
    "write digits, a prefix like 2290*, '*', or up to 11 characters": (
        "écrivez des chiffres, un préfixe comme 2290*, '*', ou jusqu'à 11 caractères"
    ),
    "{text} is not a keyword": "{text} n'est pas un mot-clé",
    "write one word of at most {limit} characters": "écrivez un seul mot de {limit} caractères au plus",
    "{text} has an owner of this keyword and order already": (
        "{text} a déjà un propriétaire pour ce mot-clé et cet ordre"
    ),
    "look at: passerelle inbound route list": "voyez : passerelle inbound route list",
    "inbound route {route_id}: {number}, keyword {keyword}, goes to {esme}": (
        "route de réception {route_id} : {number}, mot-clé {keyword}, va à {esme}"
    ),
    "there is no inbound route {name}": "il n'y a pas de route de réception {name}",
    "inbound route {route_id} is gone": "la route de réception {route_id} est retirée",
    "no message {id} from a handset is stored here": "aucun message {id} d'un téléphone n'est ici",
    "look at: passerelle inbound list --unrouted": "voyez : passerelle inbound list --unrouted",
    "message {id} was given to an ESME already": "le message {id} a déjà été donné à un ESME",
    "look at: passerelle inbound list": "voyez : passerelle inbound list",
    "message {message_id} goes to {esme}": "le message {message_id} va à {esme}",
    "no inbound route takes it: number {number}, keyword {word}": (
        "aucune route de réception ne le prend : numéro {number}, mot-clé {word}"
    ),
    "name its ESME: --esme, or add one: passerelle inbound route add": (
        "nommez son ESME : --esme, ou ajoutez-en une : passerelle inbound route add"
    ),
    "{account} sends nothing more to {number}": "{account} n'envoie plus rien à {number}",
    "{account} may write to {number} again": "{account} peut à nouveau écrire à {number}",
    "{text} is not a number": "{text} n'est pas un numéro",
    "write it with its country code: 2290197000001": "écrivez-le avec l'indicatif du pays : 2290197000001",
    "an opt-out needs a reason": "un refus demande une raison",
    "language {name} is unknown": "la langue {name} est inconnue",
    "write fr or en": "écrivez fr ou en",
    "people are answered in {language} for account {account}": (
        "on répond en {language} aux personnes pour le compte {account}"
    ),
    "{text} is neither joined nor parts": "{text} n'est ni joined ni parts",
    "write joined, or parts": "écrivez joined, ou parts",
    "ESME {esme} gets long messages so: {how}": "l'ESME {esme} reçoit ainsi les messages longs : {how}",
    "gsm7, gsm7_packed, latin1, ascii, cp1252, utf8.": "gsm7, gsm7_packed, latin1, ascii, cp1252, utf8.",
    "Say what an ESME means by data_coding 0, in what it submits and in what it is delivered.": (
        "Dire ce que data_coding 0 veut dire pour un ESME, dans ce qu'il soumet et dans ce qu'il reçoit."
    ),
    "alphabet {name} is unknown": "l'alphabet {name} est inconnu",
    "data_coding 0 of ESME {esme} is {alphabet}": "le data_coding 0 de l'ESME {esme} est {alphabet}",
    "number": "numéro",
    "keyword": "mot_clé",
    "opted_out": "refus",
    "word": "mot",
    "why": "pourquoi",
    "received_at": "reçu_le",
}
