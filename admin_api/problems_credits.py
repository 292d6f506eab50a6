"""Problems of credit: of orders, of moves that a second person decides.

What belongs here: rows, in the words of customers and of the person at the console.
What must not enter: when one arises (operator_credits.py, credit_orders.py).
"""

from __future__ import annotations

from typing import Final

from admin_api.languages import Words
from admin_api.problem_kind import ProblemKind

OF_CREDITS: Final = (
    ProblemKind(
        "second_person_needed",
        403,
        Words("Somebody else must decide this.", "C'est à quelqu'un d'autre de décider."),
        Words(
            "You proposed it: ask a colleague with the permission, or withdraw it.",
            "Vous l'avez proposé : demandez à un collègue qui en a la permission, ou retirez-le.",
        ),
    ),
    ProblemKind(
        "not_own_proposal",
        403,
        Words("Only the person who proposed this may withdraw it.", "Seul l'auteur de la proposition peut la retirer."),
        Words("Decline it, with a reason.", "Rejetez-la, en donnant un motif."),
    ),
    ProblemKind(
        "move_decided",
        409,
        Words("This was decided already, or came too late.", "C'est déjà décidé, ou c'est trop tard."),
        Words(
            "`state` tells how it ended; propose it anew if needed.",
            "`state` dit la suite ; proposez à nouveau au besoin.",
        ),
    ),
    ProblemKind(
        "order_state",
        409,
        Words("The order's state does not permit this.", "L'état de la commande ne le permet pas."),
        Words(
            "`state` tells it: an open order may be cancelled, a paid one credited.",
            "`state` le dit : une commande ouverte s'annule, une commande payée se crédite.",
        ),
    ),
    ProblemKind(
        "order_in_approval",
        409,
        Words("The crediting of this order is asked for already.", "Le crédit de cette commande est déjà demandé."),
        Words("Look for it in GET /v1/admin/credits.", "Cherchez-le dans GET /v1/admin/credits."),
    ),
    ProblemKind(
        "too_many_orders",
        409,
        Words("The account has as many open orders as it may.", "Le compte a autant de commandes ouvertes que permis."),
        Words("Cancel one, or wait until one is dealt with.", "Annulez-en une, ou attendez qu'une soit traitée."),
    ),
    ProblemKind(
        "account_closed",
        409,
        Words("The account is closed.", "Le compte est clos."),
        Words("It may only be refunded.", "Il peut seulement être remboursé."),
    ),
    ProblemKind(
        "balance_too_high",
        409,
        Words("The balance or the limit would be too high.", "Le solde ou le découvert serait trop élevé."),
        Words("Check the amount.", "Vérifiez le montant."),
    ),
)
