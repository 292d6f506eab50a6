"""The French of `passerelle webhook`: English sentence, French sentence, the same gaps in both.

What belongs here: translations, in the order of the English.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

from gateway.webhooks.targets import REMEDIES, REMEDIES_FR

WEBHOOKS: Final = {REMEDIES[fault]: REMEDIES_FR[fault] for fault in REMEDIES} | {
    "Account that is told of it over HTTP alone.": "Compte qui en est informé par HTTP seulement.",
    "Another URL.": "Une autre URL.",
    "End a webhook; its deliveries stay to be looked at.": "Supprimer un webhook ; ses envois restent consultables.",
    "Give a number that handsets write to to an ESME, or to an account that has none.": (
        "Attribuer un numéro auquel on écrit à un ESME, ou à un compte qui n'en a pas."
    ),
    "Give a webhook a new secret; the former one signs beside it for a while.": (
        "Donner un nouveau secret à un webhook ; l'ancien signe encore un temps à côté."
    ),
    "Give a webhook another URL or other events.": "Donner à un webhook une autre URL ou d'autres événements.",
    "Hours in which both secrets sign.": "Heures pendant lesquelles les deux secrets signent.",
    "Its number in the list.": "Son numéro dans la liste.",
    "Of what happened before then; else now.": "De ce qui est arrivé avant ; sinon maintenant.",
    "Of what happened from then on: 2026-01-31T08:00, 90m, 2d.": (
        "De ce qui est arrivé depuis : 2026-01-31T08:00, 90m, 2d."
    ),
    "Only this webhook's.": "Ceux de ce webhook seulement.",
    "POST, or GET for kannel and jasmin.": "POST, ou GET pour kannel et jasmin.",
    "Seconds to wait for it.": "Secondes à l'attendre.",
    "Send a test event, and show what its first try found.": (
        "Envoyer un événement d'essai et montrer ce que le premier envoi a trouvé."
    ),
    "Send what is owed until SIGTERM or Ctrl-C, where no HTTP API runs that does it.": (
        "Envoyer ce qui est dû jusqu'à SIGTERM ou Ctrl-C, là où aucune API HTTP ne s'en charge."
    ),
    "Show what was, and is to be, told over HTTP, the newest first, with the last try of each.": (
        "Montrer ce qui a été et sera dit par HTTP, du plus récent au plus ancien, avec le dernier essai de chacun."
    ),
    "Show where accounts are told, what waits and what was not taken.": (
        "Montrer où les comptes sont informés, ce qui attend et ce qui n'a pas été pris."
    ),
    "Tell a URL again what happened in a span of time; the ids stay.": (
        "Redire à une URL ce qui est arrivé dans une période ; les identifiants restent."
    ),
    "Tell a URL nothing more, until it is enabled; what happens meanwhile can be replayed.": (
        "Ne plus rien dire à une URL jusqu'à nouvel ordre ; ce qui arrive entre-temps peut être redit."
    ),
    "Tell a disabled URL again what happens from now on.": (
        "Dire de nouveau à une URL désactivée ce qui arrive désormais."
    ),
    "Tell an account at a URL what happens.": "Dire à un compte, à une URL, ce qui arrive.",
    "URLs that accounts are told at.": "Les URL où les comptes sont informés.",
    "Whose events.": "Les événements de qui.",
    "[webhooks] allow_networks: {why}": "[webhooks] allow_networks : {why}",
    "--events all, or --format native": "--events all, ou --format native",
    "all (of messages), message, inbound, notice, or events.": (
        "all (des messages), message, inbound, notice, ou des événements séparés par des virgules."
    ),
    "format {form} tells of messages only": "le format {form} ne parle que de messages",
    "deliveries to be made again: {count}": "envois à refaire : {count}",
    "delivery": "envoi",
    "delivery {delivery} waits: no courier runs here; start one: passerelle webhook send": (
        "l'envoi {delivery} attend : aucun coursier ne tourne ici ; en lancer un : passerelle webhook send"
    ),
    "delivery {delivery}: status {status}, {fault}, in {took_ms} ms: {answer}": (
        "envoi {delivery} : statut {status}, {fault}, en {took_ms} ms : {answer}"
    ),
    "due, done or dead.": "due (dû), done (fait) ou dead (abandonné).",
    "due": "dû",
    "endpoint": "webhook",
    "event {name} is unknown": "l'événement {name} est inconnu",
    "events": "événements",
    "fault": "défaut",
    "first: passerelle webhook enable {endpoint}": "d'abord : passerelle webhook enable {endpoint}",
    "format {form} by {method} is unknown": "le format {form} par {method} est inconnu",
    "https://... or http://...": "https://... ou http://...",
    "look at: passerelle webhook list": "voir : passerelle webhook list",
    "native (signed), kannel or jasmin.": "native (signé), kannel ou jasmin.",
    "next_at": "prochain_le",
    "taken": "pris",
    "there is no webhook {endpoint}": "il n'y a pas de webhook {endpoint}",
    "this URL cannot be: {fault}": "cette URL est impossible : {fault}",
    "tries": "essais",
    "webhook {endpoint} is changed": "le webhook {endpoint} est modifié",
    "webhook {endpoint} is disabled": "le webhook {endpoint} est désactivé",
    "webhook {endpoint} is removed": "le webhook {endpoint} est supprimé",
    "webhook {endpoint} is told again; what it missed: passerelle webhook replay {endpoint} --since 1d": (
        "le webhook {endpoint} est de nouveau informé ; ce qu'il a manqué : "
        "passerelle webhook replay {endpoint} --since 1d"
    ),
    "webhook {endpoint} is told nothing more": "le webhook {endpoint} n'est plus informé",
    "webhook {endpoint}; its secret, shown this once: {secret}": (
        "webhook {endpoint} ; son secret, montré cette seule fois : {secret}"
    ),
    "whose number?": "le numéro de qui ?",
    "write native with POST; kannel or jasmin with GET or POST": (
        "écrire native avec POST ; kannel ou jasmin avec GET ou POST"
    ),
    "write networks like 192.168.7.0/24": "écrire des réseaux comme 192.168.7.0/24",
}
