"""The French of `explain` and of the daily changes to routes, rates, senders and accounts.

What belongs here: translations, as in french.py, which joins them. Columns and states stand last.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

_HELP: Final = {
    "0 credits are meant.": "C'est bien 0 crédit qui est voulu.",
    "At this UTC time, like 2026-01-31T08:00; else now.": (
        "À cette heure UTC, comme 2026-01-31T08:00 ; sinon maintenant."
    ),
    "Close an account for good; its messages and its ledger stay.": (
        "Clore un compte pour toujours ; ses messages et son grand livre restent."
    ),
    "Deny an account a sender name it asked for.": "Refuser à un compte le nom d'émetteur demandé.",
    "Destination, as a customer would write it.": "Destination, comme un client l'écrirait.",
    "End a price; it stays as history, and what was held keeps it.": (
        "Mettre fin à un prix ; il reste dans l'histoire, et ce qui était retenu le garde."
    ),
    "How the person said that he wants messages again.": ("Comment la personne a dit vouloir de nouveau des messages."),
    "Keep a route from choosing; messages already routed keep their choice.": (
        "Désactiver une route ; les messages déjà routés gardent leur choix."
    ),
    "Let a disabled route choose again.": "Réactiver une route.",
    "Let a suspended account send again.": "Laisser un compte suspendu émettre de nouveau.",
    "Permit a destination again; a person's own wish only with his consent.": (
        "Permettre de nouveau une destination ; le souhait d'une personne, seulement avec son accord."
    ),
    "Refuse what an account sends from now on, also what waits; its credit stays.": (
        "Refuser désormais ce qu'un compte envoie, aussi ce qui attend ; son crédit reste."
    ),
    "Say how far below zero an account may go.": "Dire jusqu'où un compte peut descendre sous zéro.",
    "Sender: a name or a number.": "Émetteur : un nom ou un numéro.",
    "Take a number from its ESME; what handsets send to it is stored for nobody.": (
        "Retirer un numéro à son ESME ; ce qu'on y écrit est gardé pour personne."
    ),
    "Take a sender name out of use, also for what waits; approve gives it back.": (
        "Retirer un nom d'émetteur de l'usage, aussi pour ce qui attend ; approve le rend."
    ),
    "Tell what would become of a message, and why; exit 1 when it would be refused.": (
        "Dire ce que deviendrait un message, et pourquoi ; sort avec 1 s'il serait refusé."
    ),
    "The message.": "Le message.",
    "otp, transactional, marketing, service.": "otp, transactional, marketing ou service.",
    "otp, transactional, marketing, service; else that of its logins.": (
        "otp, transactional, marketing, service ; sinon celle de ses identifiants."
    ),
    "otp, transactional, marketing, service; else the configuration's.": (
        "otp, transactional, marketing, service ; sinon celle de la configuration."
    ),
}

_ANSWERS: Final = {
    "account {name} is closed for good": "le compte {name} est clos pour toujours",
    "account {name} is suspended: nothing of it is sent any more": (
        "le compte {name} est suspendu : rien de lui n'est plus envoyé"
    ),
    "account {name} may go {limit} credits below zero, balance {balance}": (
        "le compte {name} peut descendre de {limit} crédits sous zéro, solde {balance}"
    ),
    "account {name} may send again": "le compte {name} peut de nouveau émettre",
    "route {route_id} chooses again": "la route {route_id} choisit de nouveau",
    "route {route_id} chooses nothing any more": "la route {route_id} ne choisit plus rien",
    "route {route_id}: {remark}": "route {route_id} : {remark}",
    "route {route_id}: {to} goes to {connector}": "route {route_id} : {to} va vers {connector}",
    "the rate of {credits} credits a part to {to} ended": (
        "le tarif de {credits} crédits par segment vers {to} a pris fin"
    ),
    "what handsets send to {address} goes to nobody": "ce qu'on écrit à {address} ne va plus à personne",
    "{prefix} may be sent to again": "on peut de nouveau envoyer vers {prefix}",
}

_REFUSALS: Final = {
    "a part for 0 credits is paid by nobody": "un segment à 0 crédit n'est payé par personne",
    "if that is meant, add --free": "si c'est voulu, ajoutez --free",
    "{text} credits a part are more than {limit}": "{text} crédits par segment, c'est plus que {limit}",
    "write the price of one part, not of a thousand; the point is the decimal sign": (
        "écrivez le prix d'un segment, non de mille ; le point est le signe décimal"
    ),
    "account {name} is {state} already": "le compte {name} est déjà : {state}",
    "account {name} stands at {balance} credits, below such a limit": (
        "le compte {name} est à {balance} crédits, plus bas que cette limite"
    ),
    "first: passerelle account top-up {name} N --reason TEXT": (
        "d'abord : passerelle account top-up {name} N --reason TEXTE"
    ),
    "open another: passerelle account add NAME": "ouvrez-en un autre : passerelle account add NOM",
    "an MNC says nothing without its MCC: {text}": "un MNC ne dit rien sans son MCC : {text}",
    "order {order} is outside 0..{limit}": "l'ordre {order} est hors de 0..{limit}",
    "lower is asked first; 100 is the order of a route that says none": (
        "le plus petit est consulté d'abord ; 100 est l'ordre d'une route qui n'en dit pas"
    ),
    "weight {weight} is outside 1..{limit}": "le poids {weight} est hors de 1..{limit}",
    "to give a route no traffic: passerelle route disable": (
        "pour ne donner aucun trafic à une route : passerelle route disable"
    ),
    "route {route_id} says the same": "la route {route_id} dit la même chose",
    "for a larger share give it another weight; for another turn another --order": (
        "pour une plus grande part, un autre poids ; pour un autre tour, un autre --order"
    ),
    "{text} is a word that handsets answer with": "{text} est un mot par lequel on répond",
    "choose a name that says who sends": "choisissez un nom qui dise qui envoie",
    "write 1 to {limit} characters of GSM 7-bit and ASCII with a letter among them, or a number": (
        "écrivez de 1 à {limit} caractères GSM 7 bits et ASCII, dont une lettre, ou un numéro"
    ),
    "there is no such rate: {to}, account {account}": "il n'y a pas de tel tarif : {to}, compte {account}",
    "look at: passerelle rate list": "voyez : passerelle rate list",
    "there is no block {name}": "il n'y a pas d'interdiction {name}",
    "{prefix} opted out: that is the person's own wish": "{prefix} s'est désabonné : c'est le souhait de la personne",
    "only with his consent, and say how he gave it: --consent TEXT": (
        "seulement avec son accord, et dites comment il l'a donné : --consent TEXTE"
    ),
    "nobody has the number {name}": "personne n'a le numéro {name}",
    "the facts contradict each other, and nodes keep to the former ones: {why}": (
        "les faits se contredisent, et les nœuds gardent les précédents : {why}"
    ),
    "correct the row; look at: passerelle route list": "corrigez la ligne ; voyez : passerelle route list",
}

_EXPLAIN: Final = {
    "it would be accepted, and go to {connector}": "il serait accepté, et irait vers {connector}",
    "it would be accepted, and wait for {connector}": "il serait accepté, et attendrait {connector}",
    "it would be refused: {why}, {status}": "il serait refusé : {why}, {status}",
    "routes to other destinations: {count}": "routes vers d'autres destinations : {count}",
    "recomputed from the facts of now, as of the moment of its acceptance:": (
        "recalculé d'après les faits de maintenant, pour le moment de son acceptation :"
    ),
    "valid: {kind}": "valide : {kind}",
    "possible, in no known plan": "possible, dans aucun plan connu",
    "no rate: one credit a part": "pas de tarif : un crédit par segment",
    "{credits} a part: {prefix}, {whose}": "{credits} par segment : {prefix}, {whose}",
    "any destination": "toute destination",
    "for everybody": "pour tous",
    "of this account": "de ce compte",
    "a number: no registration is asked for": "un numéro : aucun enregistrement n'est demandé",
    "not registered; the account has: {names}": "non enregistré ; le compte a : {names}",
    "a name is no destination": "un nom n'est pas une destination",
    "it has no digits": "il n'a pas de chiffres",
    "it has other characters than digits": "il a d'autres caractères que des chiffres",
    "it is too short": "il est trop court",
    "it is longer than 15 digits (E.164)": "il a plus de 15 chiffres (E.164)",
    "it begins with 0 where a country code must stand": "il commence par 0 au lieu d'un indicatif de pays",
    "no country has such a code": "aucun pays n'a un tel indicatif",
    "the country that is set for the account is unknown": "le pays fixé pour le compte est inconnu",
    "it is a national number, and no country is set: passerelle account add --region": (
        "c'est un numéro national, et aucun pays n'est fixé : passerelle account add --region"
    ),
    "the numbering plan has no such number": "le plan de numérotation n'a pas de tel numéro",
}

_ROUTES: Final = {
    "chosen": "choisie",
    "would do; an earlier one takes the message": "conviendrait ; une autre, consultée avant, prend le message",
    "would do; by weight the share of this message falls to another of its group": (
        "conviendrait ; par le poids, ce message revient à une autre de son groupe"
    ),
    "its connector is down": "son connecteur est coupé",
    "its connector is configured nowhere, or suspended": "son connecteur n'est configuré nulle part, ou suspendu",
    "its connector is configured nowhere: nothing is sent by it": (
        "son connecteur n'est configuré nulle part : rien ne part par elle"
    ),
    "its connector refused this message already": "son connecteur a déjà refusé ce message",
    "disabled": "désactivée",
    "disabled: passerelle route enable {route_id}": "désactivée : passerelle route enable {route_id}",
    "for another account": "pour un autre compte",
    "for another sender": "pour un autre émetteur",
    "for another traffic class": "pour une autre classe de trafic",
    "its time window is closed then": "sa fenêtre horaire est alors fermée",
    "serves only while the connector of route {by} is out": (
        "ne sert que pendant l'absence du connecteur de la route {by}"
    ),
    "never serves: route {by} takes all of it, to the same connector": (
        "ne sert jamais : la route {by} lui prend tout, vers le même connecteur"
    ),
}

_COLUMNS: Final = {
    "answer": "réponse",
    "account_state": "état du compte",
    "sender": "émetteur",
    "number": "numéro",
    "written_formerly": "ancienne écriture",
    "country": "pays",
    "network": "réseau",
    "blocks": "interdictions",
    "opted_out": "désabonné",
    "alphabet": "alphabet",
    "beyond_gsm": "caractères hors GSM 7 bits",
    "units": "unités",
    "units_free": "unités libres",
    "pieces": "segments du texte",
    "parts_in_gsm_mode": "segments en mode GSM",
    "gsm_mode_changes": "remplacements du mode GSM",
    "rate": "tarif",
    "rate_now": "tarif actuel",
    "price_of_a_part": "prix d'un segment",
    "limits": "limites",
    "health": "santé",
    "why": "pourquoi",
    "remark": "remarque",
    "waiting": "en attente",
}

ROUTING: Final = _COLUMNS | _HELP | _ANSWERS | _REFUSALS | _EXPLAIN | _ROUTES
