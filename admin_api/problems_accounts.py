"""Problems of accounts and their prices, as operators meet them.

What belongs here: rows, in the words of the person at the console.
What must not enter: customers' problems (problems.py).
"""

from __future__ import annotations

from typing import Final

from admin_api.languages import Words
from admin_api.problem_kind import ProblemKind

OF_ACCOUNTS: Final = (
    ProblemKind(
        "account_name_taken",
        409,
        Words("Another account has this name.", "Un autre compte porte ce nom."),
        Words("Choose another name.", "Choisissez un autre nom."),
    ),
    ProblemKind(
        "login_name_taken",
        409,
        Words("Another SMPP login has this system_id.", "Un autre accès SMPP porte ce system_id."),
        Words("Choose another system_id; nothing was opened.", "Choisissez un autre system_id ; rien n'est ouvert."),
    ),
    ProblemKind(
        "state_impossible",
        409,
        Words("The account's state does not permit this.", "L'état du compte ne le permet pas."),
        Words("`state` tells it; a closed account stays closed.", "`state` le dit ; un compte fermé reste fermé."),
    ),
    ProblemKind(
        "accounts_below_are_open",
        409,
        Words("Accounts below this one are still open.", "Des comptes dépendant de celui-ci sont encore ouverts."),
        Words("Close them, or give them another parent, first.", "Fermez-les, ou changez leur rattachement, d'abord."),
    ),
    ProblemKind(
        "below_cost",
        422,
        Words("A price would be below its cost.", "Un prix serait inférieur à son coût."),
        Words(
            "An account pays at least what the account above it pays; `below_cost` tells where it would not.",
            "Un compte paie au moins ce que paie le compte dont il dépend ; `below_cost` dit où ce n'est pas le cas.",
        ),
    ),
)
