"""The French of `passerelle receipt`; joined to the rest by french.py.

What belongs here: its sentences, help texts and columns.
What must not enter: a sentence without its English in receipts.py.
"""

from __future__ import annotations

from typing import Final

RECEIPTS: Final = {
    "As in the list of orphans.": "Comme dans la liste des orphelins.",
    "Give a receipt that fits no message to one by hand, after a look at the evidence.": (
        "Attribuer à la main un accusé qui ne va à aucun message, après un regard sur les indices."
    ),
    "It is meant; without it only the evidence is shown.": "C'est voulu ; sans elle, seuls les indices sont montrés.",
    "Which part of it, from 1 on.": "Lequel de ses segments, à partir de 1.",
    "look at: passerelle message list": "voir : passerelle message list",
    "look at: passerelle message show {name}": "voir : passerelle message show {name}",
    "look at: passerelle receipt orphans": "voir : passerelle receipt orphans",
    "message {name} waits for no receipt of this carrier": "le message {name} n'attend aucun accusé de cet opérateur",
    "no receipt {name} was given up": "aucun accusé {name} n'a été abandonné",
    "nothing was changed; if it is meant, add --confirm": "rien n'a changé ; si c'est voulu, ajouter --confirm",
    "receipt {receipt} is given to message {message}": "l'accusé {receipt} est attribué au message {message}",
    "there is no message {name} of so many parts": "il n'y a pas de message {name} d'autant de segments",
    "handset": "téléphone",
    "sender": "expéditeur",
    "--since is not before --until": "--since n'est pas avant --until",
    "From this UTC time on, or so long ago: 2026-01-31T08:00, 90m, 2d.": (
        "À partir de cette heure UTC, ou depuis ce temps : 2026-01-31T08:00, 90m, 2d."
    ),
    "How they ended: dead, done, or all.": "Comment ils ont fini : dead, done ou all.",
    "Only this carrier's.": "Ceux de cet opérateur seulement.",
    "Of all logins of this account.": "De tous les accès de ce compte.",
    "Of messages accepted before then; else now.": "Des messages acceptés avant cela ; sinon maintenant.",
    "Of messages accepted from then on: 2026-01-31T08:00, 90m, 2d.": (
        "Des messages acceptés à partir de là : 2026-01-31T08:00, 90m, 2d."
    ),
    "Of this SMPP login alone.": "De cet accès SMPP seul.",
    "Receipts: told again, dead letters, ids.": "Les accusés : redits, lettres mortes, identifiants.",
    "Show how carriers write their ids in receipts, as their first receipts taught.": (
        "Montrer comment les opérateurs écrivent leurs identifiants dans les accusés, tel qu'appris des premiers."
    ),
    "Show the receipts that fit no message: tried for 72 hours, then given up and kept for 30 days.": (
        "Montrer les accusés qui ne vont à aucun message : essayés 72 heures, puis abandonnés et gardés 30 jours."
    ),
    "Show the receipts and inbound messages that no customer took.": (
        "Montrer les accusés et les messages entrants qu'aucun client n'a pris."
    ),
    "Show what was asked to be told again, who asked, and what came of it.": (
        "Montrer ce qu'on a demandé de redire, qui, et ce qui en est advenu."
    ),
    "Tell a customer again what became of his messages.": "Redire à un client ce que ses messages sont devenus.",
    "answered": "répondu",
    "arguments": "arguments",
    "asked_at": "demandé_le",
    "asked_by": "demandé_par",
    "command": "commande",
    "dress": "forme",
    "receipt": "accusé",
    "tried": "essayé",
    "smsc_message_id": "smsc_message_id",
    "given_up_at": "abandonné_le",
    "learnt_at": "appris_le",
    "look at: passerelle receipt replays": "voir : passerelle receipt replays",
    "name a span that has a beginning and an end": "nommer une période qui a un début et une fin",
    "no node has done it yet: command {command} waits; look at: passerelle receipt replays": (
        "aucun nœud ne l'a encore fait : la commande {command} attend ; voir : passerelle receipt replays"
    ),
    "receipted": "dans_l'accusé",
    "receipts to be told again: {count}": "accusés à redire : {count}",
    "result": "résultat",
    "the node refuses: {why}": "le nœud refuse : {why}",
    "messages from handsets to be told again: {count}": "messages de mobiles à redire : {count}",
    "Tell a customer again what handsets sent him.": "Redire à un client ce que des mobiles lui ont envoyé.",
    "Of messages that came from then on: 2026-01-31T08:00, 90m, 2d.": (
        "Des messages arrivés à partir de là : 2026-01-31T08:00, 90m, 2d."
    ),
    "Of messages that came before then; else now.": "Des messages arrivés avant cela ; sinon maintenant.",
    "what": "quoi",
    "whose?": "de qui ?",
    "write either --account NAME or --esme SYSTEM_ID": "écrire soit --account NOM, soit --esme SYSTEM_ID",
}
