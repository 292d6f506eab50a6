"""Operators' addresses of accounts and of one account's prices.

What belongs here: rows. A reseller's user reaches the accounts below his own by each of them.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

from admin_api import account_rates, accounts
from admin_api import models_accounts as ma
from admin_api.languages import Words
from admin_api.route import Route

ACCOUNTS: Final[tuple[Route, ...]] = (
    Route(
        method="POST",
        path="/v1/admin/accounts",
        permission="accounts.write",
        group="accounts",
        summary=Words("Open an account, with its first logins if wished", "Ouvrir un compte, avec ses premiers accès"),
        answer=accounts.open_account,
        body=ma.OpenAccount,
        answers=(ma.OpenedAccount,),
        status=201,
        problems=("account_name_taken", "login_name_taken", "user_name_taken", "below_cost"),
    ),
    Route(
        method="GET",
        path="/v1/admin/accounts",
        permission="accounts.read",
        group="accounts",
        summary=Words("List accounts by name", "Lister les comptes par nom"),
        answer=accounts.show_page,
        query=ma.ListAccounts,
        answers=(ma.Accounts,),
    ),
    Route(
        method="GET",
        path="/v1/admin/accounts/{id}",
        permission="accounts.read",
        group="accounts",
        summary=Words("One account", "Un compte"),
        answer=accounts.show,
        answers=(ma.Account,),
        problems=("not_found",),
    ),
    Route(
        method="PATCH",
        path="/v1/admin/accounts/{id}",
        permission="accounts.write",
        group="accounts",
        summary=Words(
            "Change an account's limits, or whose customer it is",
            "Modifier les limites d'un compte, ou de qui il est client",
        ),
        answer=accounts.change,
        body=ma.ChangeAccount,
        answers=(ma.Account,),
        problems=("not_found", "below_cost"),
    ),
    Route(
        method="POST",
        path="/v1/admin/accounts/{id}/suspend",
        permission="accounts.write",
        group="accounts",
        summary=Words("Refuse what an account sends from now on", "Refuser désormais ce qu'un compte envoie"),
        answer=accounts.suspend,
        body=ma.MoveAccount,
        answers=(ma.Account,),
        problems=("not_found", "state_impossible"),
    ),
    Route(
        method="POST",
        path="/v1/admin/accounts/{id}/resume",
        permission="accounts.write",
        group="accounts",
        summary=Words("Let a suspended account send again", "Laisser un compte suspendu envoyer à nouveau"),
        answer=accounts.resume,
        body=ma.MoveAccount,
        answers=(ma.Account,),
        problems=("not_found", "state_impossible"),
    ),
    Route(
        method="POST",
        path="/v1/admin/accounts/{id}/close",
        permission="accounts.write",
        group="accounts",
        summary=Words("Close an account for good", "Fermer un compte définitivement"),
        answer=accounts.close,
        body=ma.MoveAccount,
        answers=(ma.Account,),
        problems=("not_found", "state_impossible", "accounts_below_are_open"),
    ),
    Route(
        method="GET",
        path="/v1/admin/accounts/{id}/history",
        permission="accounts.read",
        group="accounts",
        summary=Words("What was changed of an account", "Ce qui a été modifié d'un compte"),
        answer=accounts.show_history,
        answers=(ma.Changes,),
        problems=("not_found",),
    ),
    Route(
        method="GET",
        path="/v1/admin/accounts/{id}/rates",
        permission="accounts.read",
        group="accounts",
        summary=Words("An account's own prices", "Les prix propres à un compte"),
        answer=account_rates.show,
        answers=(ma.AccountRates,),
        problems=("not_found",),
    ),
    Route(
        method="PUT",
        path="/v1/admin/accounts/{id}/rates",
        permission="accounts.write",
        group="accounts",
        summary=Words("Set or end an account's own prices", "Fixer ou terminer les prix propres à un compte"),
        answer=account_rates.change,
        body=ma.ChangeRates,
        answers=(ma.AccountRates,),
        problems=("not_found", "state_impossible", "below_cost"),
    ),
)
