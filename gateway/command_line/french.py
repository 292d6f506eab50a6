"""The French of everything the command line says: English sentence, French sentence, the same gaps in both.

What belongs here: translations, in the order help, answers, refusals and remedies, findings, proofs, columns.
A word without translation shows in English. What must not enter: code.
"""

from __future__ import annotations

from typing import Final

from gateway.command_line.french_api import API
from gateway.command_line.french_carriers import CARRIERS
from gateway.command_line.french_credits import CREDITS
from gateway.command_line.french_doors import DOORS
from gateway.command_line.french_inbound import FRENCH_INBOUND
from gateway.command_line.french_limits import LIMITS
from gateway.command_line.french_logins import LOGINS
from gateway.command_line.french_lookup import LOOKUP
from gateway.command_line.french_notices import NOTICES
from gateway.command_line.french_receipts import RECEIPTS
from gateway.command_line.french_routes import ROUTES
from gateway.command_line.french_routing import ROUTING
from gateway.command_line.french_senders import SENDERS
from gateway.command_line.french_statistics import STATISTICS
from gateway.command_line.french_users import USERS
from gateway.command_line.french_versions import VERSIONS
from gateway.command_line.french_webhooks import WEBHOOKS

_HELP: Final = {
    "A telecom gateway: messages in and out over SMPP, durable and paid for.": (
        "Une passerelle télécom : des messages par SMPP, durables et payés."
    ),
    "A new name.": "Un nouveau nom.",
    "A registered sender name.": "Un nom d'émetteur enregistré.",
    "A sender name the account may use.": "Un nom d'émetteur permis au compte.",
    "Judge any SMSC by what it answers.": "Juger un SMSC quelconque sur ses réponses.",
    "Play every situation of SMPP against a server.": "Jouer chaque situation de SMPP contre un serveur.",
    "A simulated carrier, client or network, with faults on demand.": (
        "Un opérateur, un client ou un réseau simulé, pannes sur demande."
    ),
    "Add a route.": "Ajouter une route.",
    "Add credit to an account.": "Créditer un compte.",
    "Address or network it may come from.": "Adresse ou réseau d'où il peut venir.",
    "Also those no longer in force.": "Aussi ceux qui ne valent plus.",
    "As in the list.": "Comme dans la liste.",
    "At most so many.": "Tant au plus.",
    "Binds at once.": "Binds simultanés.",
    "Bring the database to the schema of this program.": "Mettre la base au schéma de ce programme.",
    "Country of its national numbers, like BJ.": "Pays de ses numéros nationaux, par exemple BJ.",
    "Credits a part.": "Crédits par segment.",
    "Credits it starts with.": "Crédits de départ.",
    "Credits to add.": "Crédits à ajouter.",
    "Destinations that get nothing.": "Destinations qui ne reçoivent rien.",
    "Digits from the country code on.": "Chiffres à partir de l'indicatif du pays.",
    "End after so many receipts.": "Finir après tant d'accusés.",
    "End after so many receipts; 0: at Ctrl-C.": "Finir après tant d'accusés ; 0 : à Ctrl-C.",
    "Forbid a destination.": "Interdire une destination.",
    "From this UTC time on, or so long ago: 2026-01-31T08:00, 90m, 2d.": (
        "Depuis cette heure UTC, ou depuis cette durée : 2026-01-31T08:00, 90m, 2d."
    ),
    "How far below zero it may go.": "Jusqu'où il peut descendre sous zéro.",
    "How many.": "Combien.",
    "It is the person's own wish; of one account, it goes to the opt-outs.": (
        "C'est le souhait de la personne ; envers un seul compte, il va aux désabonnements."
    ),
    "It may be used at once.": "Utilisable tout de suite.",
    "Its SMPP login, 1 to 15 octets.": "Son identifiant SMPP, de 1 à 15 octets.",
    "Language: en or fr; else the locale's.": "Langue : en ou fr ; sinon celle du système.",
    "Let an account use a sender name it asked for.": "Accorder à un compte le nom d'émetteur demandé.",
    "Load a running server with texts of 160 characters and show the figures.": (
        "Charger un serveur en marche de textes de 160 caractères et montrer les chiffres."
    ),
    "Log of a simulated carrier.": "Journal d'un opérateur simulé.",
    "Log of a simulated client.": "Journal d'un client simulé.",
    "Look for what would keep a node from working; exit 1 when something would.": (
        "Chercher ce qui empêcherait un nœud de travailler ; sort avec 1 s'il y a lieu."
    ),
    "Lower is asked first.": "Le plus petit est consulté d'abord.",
    "MCC/MNC, like 616/03.": "MCC/MNC, par exemple 616/03.",
    "Messages a second; 0: as fast as they pass.": "Messages par seconde ; 0 : aussi vite qu'ils passent.",
    "Messages and their timelines.": "Les messages et leur histoire.",
    "Name of the account.": "Nom du compte.",
    "Name of the connector.": "Nom du connecteur.",
    "Name of the operator.": "Nom de l'opérateur.",
    "Number or prefix.": "Numéro ou préfixe.",
    "Number, short code or keyword address.": "Numéro, numéro court ou adresse.",
    "Numbers that handsets write to.": "Les numéros auxquels on écrit.",
    "Older than this id: the last of the page.": "Plus anciens que cet id : le dernier de la page.",
    "Only in this state.": "Seulement dans cet état.",
    "Only then, in UTC: 'Mon-Fri 08:00-20:00'.": "Seulement alors, en UTC : 'lun-ven 08:00-20:00'.",
    "Only this account's.": "Seulement de ce compte.",
    "Only this sender.": "Seulement cet émetteur.",
    "Only this traffic class.": "Seulement cette classe de trafic.",
    "Open an SMPP login of an account.": "Ouvrir un accès SMPP à un compte.",
    "Open an account.": "Ouvrir un compte.",
    "Our message id.": "Notre identifiant de message.",
    "Parts a second over all its binds; 0: no limit.": "Segments par seconde, tous binds confondus ; 0 : sans limite.",
    "Pass some messages through a gateway and prove that all went well.": (
        "Faire passer des messages et prouver que tout va bien."
    ),
    "Prefix like 229, network like 616/03, or '*' for all.": (
        "Préfixe comme 229, réseau comme 616/03, ou '*' pour tout."
    ),
    "Prefix like 229, or '*' for all.": "Préfixe comme 229, ou '*' pour tout.",
    "Prove the promises on the rows and the logs; exit 1 with the offending ids.": (
        "Prouver les promesses sur les lignes et les journaux ; sort avec 1 et les fautifs."
    ),
    "Read the password from stdin.": "Lire le mot de passe sur l'entrée standard.",
    "Register a sender name of an account.": "Enregistrer un nom d'émetteur d'un compte.",
    "Rules that choose a connector.": "Les règles qui choisissent un connecteur.",
    "Run a gateway with a simulated carrier and client; with a configuration: its node alone.": (
        "Lancer une passerelle, un opérateur et un client simulés ; avec une configuration : son nœud seul."
    ),
    "Run one node until SIGTERM or Ctrl-C.": "Lancer un nœud jusqu'à SIGTERM ou Ctrl-C.",
    "SMPP login of the load.": "Identifiant SMPP de la charge.",
    "Say which network a prefix belongs to.": "Dire à quel réseau appartient un préfixe.",
    "Sender names an account may use.": "Les noms d'émetteur permis à un compte.",
    "Set the price of a part; the rate it replaces stays as history.": (
        "Fixer le prix d'un segment ; le tarif remplacé reste dans l'histoire."
    ),
    "Share among routes of equal order and destination.": "Part entre routes de même ordre et de même destination.",
    "Show everything about one message.": "Tout montrer d'un message.",
    "Show the SMPP logins.": "Montrer les accès SMPP.",
    "Show the accounts and their balances.": "Montrer les comptes et leurs soldes.",
    "Show the destinations that get nothing.": "Montrer les destinations interdites.",
    "Show the newest messages, newest first.": "Montrer les derniers messages, les plus récents d'abord.",
    "Show the numbers that handsets write to.": "Montrer les numéros auxquels on écrit.",
    "Show the prices.": "Montrer les tarifs.",
    "Show the routes in the order they are asked.": "Montrer les routes dans l'ordre où elles sont consultées.",
    "Show the sender names.": "Montrer les noms d'émetteur.",
    "Show what waits, for each connector and each customer.": ("Montrer ce qui attend, par connecteur et par client."),
    "Show who is bound to us, and where we are bound.": "Montrer qui est lié à nous, et à qui nous sommes liés.",
    "Simulate a carrier.": "Simuler un opérateur.",
    "Simulate a bad network between two peers.": "Simuler un mauvais réseau entre deux pairs.",
    "Simulate a client.": "Simuler un client.",
    "Take a route away; messages already routed keep their choice.": (
        "Retirer une route ; les messages déjà routés gardent leur choix."
    ),
    "The TOML file; else $PASSERELLE_CONFIG, else ./passerelle.toml, else none.": (
        "Le fichier TOML ; sinon $PASSERELLE_CONFIG, sinon ./passerelle.toml, sinon aucun."
    ),
    "The name or number that handsets show.": "Le nom ou le numéro que montrent les téléphones.",
    "The price of a part.": "Le prix d'un segment.",
    "Unanswered requests per bind.": "Requêtes sans réponse par bind.",
    "Which network a prefix belongs to.": "À quel réseau appartient un préfixe.",
    "Who binds over SMPP.": "Qui se lie par SMPP.",
    "Who pays.": "Qui paie.",
    "Why; it is shown with each refusal.": "Pourquoi ; montré à chaque refus.",
    "Why; it stays in the ledger.": "Pourquoi ; cela reste dans le grand livre.",
    "Write JSON for programs.": "Écrire du JSON, pour les programmes.",
    "host:port; else the configured server.": "hôte:port ; sinon le serveur configuré.",
    "system_id that takes what is sent to it.": "Le system_id qui prend ce qu'on y envoie.",
}

_ANSWERS: Final = {
    "ESME {system_id} may bind, account {account} pays": "l'ESME {system_id} peut se lier, le compte {account} paie",
    "PostgreSQL and its tables in {folder} ...": "PostgreSQL et ses tables dans {folder} ...",
    "a part to {to} costs {credits} credits (before: {before})": (
        "un segment vers {to} coûte {credits} crédits (avant : {before})"
    ),
    "account {name} is open, with {balance} credits": "le compte {name} est ouvert, avec {balance} crédits",
    "account {name}: {added} credits added, balance {balance}": (
        "compte {name} : {added} crédits ajoutés, solde {balance}"
    ),
    "applied: {applied}": "appliqué : {applied}",
    "carrier (simulated) {carrier}, gateway {server}": "opérateur (simulé) {carrier}, passerelle {server}",
    "metrics http://{metrics}/metrics": "mesures http://{metrics}/metrics",
    "no": "non",
    "no node has ever run on this database; start one: passerelle node": (
        "aucun nœud n'a jamais tourné sur cette base ; lancez-en un : passerelle node"
    ),
    "no node is alive; the last, {name}, was seen {age} ago": (
        "aucun nœud n'est en vie ; le dernier, {name}, a été vu il y a {age}"
    ),
    "node {name} is not ready": "le nœud {name} n'est pas prêt",
    "nothing is sent to {to} any more": "plus rien n'est envoyé à {to}",
    "older ones: --cursor {cursor}": "plus anciens : --cursor {cursor}",
    "password: ": "mot de passe : ",
    "ready after {seconds} s; Ctrl-C ends": "prêt après {seconds} s ; Ctrl-C arrête",
    "route {route_id} is gone": "la route {route_id} est retirée",
    "sender name {name} of account {account}: {state}": "nom d'émetteur {name} du compte {account} : {state}",
    "the schema is current": "le schéma est à jour",
    "what handsets send to {address} goes to {esme}": "ce qu'on envoie à {address} va à {esme}",
    "yes": "oui",
    "{accepted} messages accepted, {delivered} delivered, {receipts} receipts back, in {seconds} s": (
        "{accepted} messages acceptés, {delivered} délivrés, {receipts} accusés rendus, en {seconds} s"
    ),
    "attempts: {count}": "tentatives : {count}",
    "parts: {count}": "segments : {count}",
    "parts: {parts}, credits held: {price}": "segments : {parts}, crédits retenus : {price}",
    "{prefix} is {operator}, {network}": "{prefix} est {operator}, {network}",
}

_REFUSALS: Final = {
    "ESME {name} exists already": "l'ESME {name} existe déjà",
    "ESME {name} is unknown": "l'ESME {name} est inconnu",
    "PostgreSQL refuses: {why}": "PostgreSQL refuse : {why}",
    "a block needs a reason": "un blocage demande une raison",
    "a top-up needs a reason": "un crédit demande une raison",
    "account {account} has no sender name {name}": "le compte {account} n'a pas de nom d'émetteur {name}",
    "account {account} has the sender name {name} already": "le compte {account} a déjà le nom d'émetteur {name}",
    "account {name} exists already": "le compte {name} existe déjà",
    "account {name} is closed": "le compte {name} est fermé",
    "account {name} is unknown": "le compte {name} est inconnu",
    "choose another system_id; the existing ones: passerelle esme list": (
        "choisissez un autre system_id ; ceux qui existent : passerelle esme list"
    ),
    "connector {name} is neither in the configuration nor in the database": (
        "le connecteur {name} n'est ni dans la configuration ni dans la base"
    ),
    "did you mean {names}?": "vouliez-vous dire {names} ?",
    "for more credit: passerelle account top-up {name} N --reason TEXT": (
        "pour le créditer : passerelle account top-up {name} N --reason TEXTE"
    ),
    "hand it over by stdin: --password-stdin": "donnez-le par l'entrée standard : --password-stdin",
    "ids are whole numbers, as submit_sm_resp gave them": (
        "un identifiant est un nombre entier, comme submit_sm_resp l'a donné"
    ),
    "known: {names}; or {make}": "connus : {names} ; ou {make}",
    "look at: passerelle block list": "voyez : passerelle block list",
    "look at: passerelle doctor": "voyez : passerelle doctor",
    "look at: passerelle message list": "voyez : passerelle message list",
    "look at: passerelle number list": "voyez : passerelle number list",
    "look at: passerelle route list": "voyez : passerelle route list",
    "message {id} is not stored here": "le message {id} n'est pas ici",
    "name a file of JSON lines": "indiquez un fichier de lignes JSON",
    "name a log that passerelle simulate wrote": "indiquez un journal écrit par passerelle simulate",
    "name an open account": "indiquez un compte ouvert",
    "no password was given": "aucun mot de passe n'a été donné",
    "run: passerelle migrate": "lancez : passerelle migrate",
    "state {name} is unknown": "l'état {name} est inconnu",
    "the database lacks {names}": "il manque à la base {names}",
    "the node is not ready after {seconds} s": "le nœud n'est pas prêt après {seconds} s",
    "the password": "le mot de passe",
    "{name} ended: {words}": "{name} s'est arrêté : {words}",
    "the simulated carrier": "l'opérateur simulé",
    "the simulated client": "le client simulé",
    "the system_id": "le system_id",
    "there is no log {file}": "il n'y a pas de journal {file}",
    "there is no route {name}": "il n'y a pas de route {name}",
    "there is none yet: {make}": "il n'y en a pas encore : {make}",
    "to approve it: passerelle sender approve {name} --account {account}": (
        "pour l'approuver : passerelle sender approve {name} --account {account}"
    ),
    "traffic class {name} is unknown": "la classe de trafic {name} est inconnue",
    "write 1 to 15 digits, country code first, without + or 00": (
        "écrivez de 1 à 15 chiffres, indicatif du pays d'abord, sans + ni 00"
    ),
    "write 1 to {limit} octets: SMPP carries no more": "écrivez de 1 à {limit} octets : SMPP n'en porte pas plus",
    "write 1 to {limit} printable characters": "écrivez de 1 à {limit} caractères imprimables",
    "write 3 to 15 digits, country code first": "écrivez de 3 à 15 chiffres, indicatif du pays d'abord",
    "write 3 to 15 digits, or up to 11 characters": "écrivez de 3 à 15 chiffres, ou jusqu'à 11 caractères",
    "write MCC/MNC, like 616/03": "écrivez MCC/MNC, par exemple 616/03",
    "write a number with at most six digits after the point, like 1000 or 0.035": (
        "écrivez un nombre avec six décimales au plus, après un point, comme 1000 ou 0.035"
    ),
    "write an amount from {least} on": "écrivez un montant d'au moins {least}",
    "write it like 'Mon-Fri 08:00-20:00', in UTC; over midnight write two": (
        "écrivez par exemple 'lun-ven 08:00-20:00', en UTC ; par-dessus minuit, écrivez-en deux"
    ),
    "write it like 192.0.2.0/24 or 2001:db8::/32": "écrivez par exemple 192.0.2.0/24 ou 2001:db8::/32",
    "write it like 2026-01-31T08:00 in UTC, or 90m, 12h, 2d": (
        "écrivez par exemple 2026-01-31T08:00 en UTC, ou 90m, 12h, 2d"
    ),
    "write letters and digits": "écrivez des lettres et des chiffres",
    "write one of {names}": "écrivez l'un de {names}",
    "write two capital letters, like BJ": "écrivez deux majuscules, par exemple BJ",
    "write why: --reason TEXT": "écrivez pourquoi : --reason TEXTE",
    "{file}:{line}: is no line of a log: {why}": "{file}:{line} : n'est pas une ligne de journal : {why}",
    "{name} cannot be the name of an account": "{name} ne peut être le nom d'un compte",
    "{name} is not a country": "{name} n'est pas un pays",
    "{text} belongs to an ESME already": "{text} appartient déjà à un ESME",
    "{text} cannot be a sender name": "{text} ne peut être un nom d'émetteur",
    "{text} credits are too few": "{text} crédits ne suffisent pas",
    "{text} is blocked so already": "{text} est déjà bloqué ainsi",
    "{text} is not a message id": "{text} n'est pas un identifiant de message",
    "{text} is not a network": "{text} n'est pas un réseau",
    "{text} is not a number that can send": "{text} n'est pas un numéro qui puisse émettre",
    "{text} is not a prefix": "{text} n'est pas un préfixe",
    "{text} is not a time": "{text} n'est pas une heure",
    "{text} is not a time window": "{text} n'est pas une plage horaire",
    "{text} is not an address": "{text} n'est pas une adresse",
    "{text} is not an amount of credits": "{text} n'est pas un montant en crédits",
    "{what} has characters beyond printable ASCII": "{what} a des caractères hors de l'ASCII imprimable",
    "{what} has {count} octets": "{what} a {count} octets",
}

_FINDINGS: Final = {
    "alive: {names}": "en vie : {names}",
    "configured": "configuré",
    "current": "à jour",
    "embedded": "embarqué",
    "set another port": "prenez un autre port",
    "end it, or set another port": "arrêtez-le, ou prenez un autre port",
    "give it to who runs passerelle": "donnez-le à qui lance passerelle",
    "let both follow NTP": "que les deux suivent NTP",
    "no file; the defaults hold": "pas de fichier ; les valeurs par défaut valent",
    "no message finds a way": "aucun message ne trouve de chemin",
    "no price is set": "aucun tarif n'est fixé",
    "nobody may bind": "personne ne peut se lier",
    "none for {days}": "aucune pour {days}",
    "none is configured": "aucun n'est configuré",
    "none is configured, and a single node needs none": "aucun n'est configuré, et un nœud seul s'en passe",
    "put its address right, or see to the resolver": "corrigez son adresse, ou voyez le résolveur",
    "routes lead to connector {name}, which is not configured": (
        "des routes mènent au connecteur {name}, qui n'est pas configuré"
    ),
    "see postgresql.conf; reload": "voyez postgresql.conf ; rechargez",
    "start it, or put [storage] dsn right; absent: embedded": (
        "lancez-le, ou corrigez [storage] dsn ; absent : embarqué"
    ),
    "today and tomorrow are there": "aujourd'hui et demain y sont",
    "{endpoint} does not resolve: {why}": "{endpoint} ne se résout pas : {why}",
    "{endpoint} is free": "{endpoint} est libre",
    "{endpoint} is our node's": "{endpoint} est à notre nœud",
    "{endpoint} is shared with {names}": "{endpoint} est partagé avec {names}",
    "{endpoint} is taken by {names}": "{endpoint} est pris par {names}",
    "{endpoint} is taken by another program": "{endpoint} est pris par un autre programme",
    "{file} cannot be written": "on ne peut écrire dans {file}",
    "{file} is for its owner alone": "{file} est à son seul propriétaire",
    "{file} may be read by others": "{file} est lisible par d'autres",
    "{seconds} s apart from the database": "à {seconds} s de la base",
    "{soft} open files": "{soft} fichiers ouverts",
    "{soft} open files, {needed} may be needed": "{soft} fichiers ouverts, il en faudra peut-être {needed}",
}

_PROOFS: Final = {
    "  and {count} more": "  et {count} de plus",
    "FAILED": "ÉCHEC",
    "each balance is the sum of its postings": "chaque solde est la somme de ses écritures",
    "each hold is closed exactly when it must be": "chaque retenue est close exactement quand il faut",
    "every acknowledged message is stored": "tout message acquitté est enregistré",
    "every carrier's id has its message": "tout identifiant d'opérateur a son message",
    "every customer is told": "tout client est averti",
    "every final message is final in all its parts": "tout message final l'est dans tous ses segments",
    "every open attempt has its message": "toute tentative ouverte a son message",
    "every receipt is of a stored message": "tout accusé est celui d'un message enregistré",
    "every receipt we acknowledged is kept": "tout accusé que nous avons acquitté est gardé",
    "no account is beyond its credit": "aucun compte ne dépasse son crédit",
    "no message can leave a final state": "aucun message ne peut quitter un état final",
    "no message id was given twice": "aucun identifiant n'a été donné deux fois",
    "no more copies of a text on the wire than doubts allow": (
        "pas plus de copies d'un texte sur le fil que les doutes n'en permettent"
    ),
    "no more parts on the wire than doubts allow": "pas plus de segments sur le fil que les doutes n'en permettent",
    "no receipt waits for its message too long": "aucun accusé n'attend trop son message",
    "nothing is open past its deadline": "rien n'est ouvert après son échéance",
    "the ledger sums to zero": "la somme du grand livre est nulle",
    "what people moved stands in the ledger": "ce que des personnes ont déplacé est dans le grand livre",
    "what is held is the price of the open messages": "ce qui est retenu est le prix des messages ouverts",
    "what is spent is the price of the captured messages": "ce qui est dépensé est le prix des messages encaissés",
    "what we call submitted was on the wire": "ce que nous disons soumis a été sur le fil",
    "what we call told was heard": "ce que nous disons annoncé a été entendu",
}

_COLUMNS: Final = {
    "accepted": "accepté",
    "accepted_at": "accepté_le",
    "account": "compte",
    "address": "adresse",
    "allow_cidrs": "réseaux_permis",
    "at": "heure",
    "attempt_count": "tentatives",
    "balance": "solde",
    "bound_since": "lié_depuis",
    "checked": "vérifiés",
    "connector": "connecteur",
    "created_at": "créé_le",
    "credit_limit": "découvert",
    "credits": "crédits",
    "decided_at": "décidé_le",
    "delivered": "délivré",
    "detail": "détail",
    "enabled": "active",
    "error": "erreur",
    "event": "événement",
    "expires_at": "expire_le",
    "failed": "échoués",
    "final_at": "final_le",
    "finding": "constat",
    "from": "de",
    "hold": "retenue",
    "in_doubt": "en doute",
    "kind": "genre",
    "name": "nom",
    "node": "nœud",
    "notified_at": "annoncé_le",
    "oldest": "plus_ancien",
    "order": "ordre",
    "parts": "segments",
    "prefix": "préfixe",
    "price": "prix",
    "promise": "promesse",
    "proof": "preuve",
    "queued": "en attente",
    "reason": "raison",
    "receipt back": "accusé rendu",
    "region": "pays",
    "remedy": "remède",
    "replaced_at": "remplacé_le",
    "route_id": "route",
    "route_why": "pourquoi_cette_route",
    "sender": "émetteur",
    "severity": "gravité",
    "state": "état",
    "subject": "sujet",
    "submitted": "soumis",
    "submitted_at": "soumis_le",
    "text": "texte",
    "to": "à",
    "traffic_class": "classe",
    "user_data": "octets",
    "verdict": "verdict",
    "waiting": "en attente",
    "weight": "poids",
    "window": "fenêtre",
}

FRENCH: Final[dict[str, str]] = (
    _HELP
    | _ANSWERS
    | _REFUSALS
    | _FINDINGS
    | _PROOFS
    | _COLUMNS
    | API
    | CARRIERS
    | CREDITS
    | DOORS
    | LOGINS
    | LOOKUP
    | NOTICES
    | FRENCH_INBOUND
    | RECEIPTS
    | ROUTES
    | ROUTING
    | STATISTICS
    | USERS
    | VERSIONS
    | WEBHOOKS
    | LIMITS
    | SENDERS
)
