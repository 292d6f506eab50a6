"""The French of `user` and `audit` (users.py): the same rules as french.py.

What belongs here: translations, in the order help, answers, refusals, columns.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

USERS: Final = {
    "Who signs in to the console.": "Qui se connecte à la console.",
    "What operators changed.": "Ce que les exploitants ont changé.",
    "Name of the user.": "Nom de l'utilisateur.",
    "superadmin, operator, finance, reseller, support, read_only.": (
        "superadmin, operator, finance, reseller, support, read_only."
    ),
    "A reseller's account; he sees those below it.": "Le compte d'un revendeur ; il voit ceux qui en dépendent.",
    "Where he is told of things.": "Où on le prévient.",
    "His phone number, with + and country code.": "Son numéro de téléphone, avec + et indicatif.",
    "Language he is spoken to in: fr or en.": "Langue dans laquelle on lui parle : fr ou en.",
    "Read the password from stdin; else one is made.": (
        "Lire le mot de passe sur l'entrée standard ; sinon un mot de passe est tiré."
    ),
    "A new name, in small letters.": "Un nouveau nom, en minuscules.",
    "Make a user; he must change the password at his first login.": (
        "Créer un utilisateur ; il devra changer de mot de passe à sa première connexion."
    ),
    "Show who may sign in.": "Montrer qui peut se connecter.",
    "His phone is lost: he enrols another.": "Son téléphone est perdu : il en enregistre un autre.",
    "Change a user; what is not named stays.": "Modifier un utilisateur ; ce qui n'est pas nommé reste.",
    "Sign a user out everywhere and let him in no more.": (
        "Déconnecter un utilisateur partout et ne plus le laisser entrer."
    ),
    "Let a suspended user in again.": "Laisser entrer à nouveau un utilisateur suspendu.",
    "Give a user a new password, to be changed at his next login.": (
        "Donner à un utilisateur un nouveau mot de passe, à changer à sa prochaine connexion."
    ),
    "NUMBER:MAC, as a former check wrote it; several times.": (
        "NUMÉRO:MAC, comme un contrôle précédent l'a écrit ; plusieurs fois."
    ),
    "Find rows of the audit log that were changed, removed or put elsewhere.": (
        "Trouver les lignes du journal d'audit qui ont été modifiées, supprimées ou déplacées."
    ),
    "user {name} is changed: {changed}": "utilisateur {name} modifié : {changed}",
    "user {name} is suspended": "l'utilisateur {name} est suspendu",
    "user {name} may sign in again": "l'utilisateur {name} peut de nouveau se connecter",
    "user {name} signs in with it once, and then chooses another": (
        "l'utilisateur {name} se connecte une fois avec, puis en choisit un autre"
    ),
    "it is shown this once; user {name} signs in with it, and then chooses another": (
        "il n'est montré qu'ici ; l'utilisateur {name} se connecte avec, puis en choisit un autre"
    ),
    "{rows} rows, none changed, removed or put elsewhere; note the newest: {head}": (
        "{rows} lignes, aucune modifiée, supprimée ni déplacée ; notez la plus récente : {head}"
    ),
    "{name} cannot be the name of a user": "{name} ne peut pas être le nom d'un utilisateur",
    "write 2 to 64 of: small letters, digits, . _ @ -": "écrivez 2 à 64 signes : minuscules, chiffres, . _ @ -",
    "user {name} exists already": "l'utilisateur {name} existe déjà",
    "user {name} is unknown": "l'utilisateur {name} est inconnu",
    "user {name} is the last superadmin who is active": "l'utilisateur {name} est le dernier superadmin actif",
    "make another one superadmin first": "donnez d'abord ce rôle à un autre",
    "role {name} is unknown": "le rôle {name} est inconnu",
    "a reseller has an account, and nobody else": "un revendeur a un compte, et lui seul",
    "write --role reseller --account NAME": "écrivez --role reseller --account NOM",
    "language {name} is unknown": "la langue {name} est inconnue",
    "the password is too short": "le mot de passe est trop court",
    "write at least {count} characters": "écrivez au moins {count} caractères",
    "{text} is no NUMBER:MAC": "{text} n'est pas un NUMÉRO:MAC",
    "write it as passerelle audit verify did": "écrivez-le comme l'a fait passerelle audit verify",
    "audit log: rows {first} to {last} are missing": "journal d'audit : il manque les lignes {first} à {last}",
    "audit log: the head of the chain does not fit its newest row {seq}": (
        "journal d'audit : la tête de la chaîne ne correspond pas à sa ligne la plus récente {seq}"
    ),
    "audit log: row {seq} was changed or put elsewhere": (
        "journal d'audit : la ligne {seq} a été modifiée ou déplacée"
    ),
    "compare with a backup, and find out who may write to the database": (
        "comparez avec une sauvegarde, et cherchez qui peut écrire dans la base"
    ),
    "account {name} would pay {price} credits a part to {to}, account {above} above it {cost}": (
        "le compte {name} paierait {price} crédits le segment vers {to}, le compte {above} dont il dépend {cost}"
    ),
    "set the price of {name} first: passerelle rate add --account {name}": (
        "fixez d'abord le prix de {name} : passerelle rate add --account {name}"
    ),
    "Show what was changed of an account, newest first.": (
        "Montrer ce qui a été modifié d'un compte, du plus récent au plus ancien."
    ),
    "role": "rôle",
    "account_id": "compte n°",
    "email": "courriel",
    "phone": "téléphone",
    "language": "langue",
    "second_factor": "second facteur",
}
