"""The French of `credit-order` (credit_orders.py): the same rules as french.py.

What belongs here: translations, in the order help, answers, refusals, columns.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

CREDITS: Final = {
    "What customers order of credit.": "Les commandes de crédit des clients.",
    "Number of the order.": "Numéro de la commande.",
    "Show the orders, newest first.": "Afficher les commandes, de la plus récente à la plus ancienne.",
    "Show one order.": "Afficher une commande.",
    "How many at most.": "Combien au plus.",
    "placed, paid, credited, refused, cancelled, expired.": "placed, paid, credited, refused, cancelled, expired.",
    "How it was paid; for an order without payment.": "Comment elle fut payée ; pour une commande sans paiement noté.",
    "How much money, like 65000.00.": "La somme, comme 65000.00.",
    "Three capital letters, like XOF.": "Trois majuscules, comme XOF.",
    "The day, like 2026-01-31; else today (UTC).": "Le jour, comme 2026-01-31 ; sinon aujourd'hui (UTC).",
    "The payment's number at the bank.": "La référence du paiement à la banque.",
    "Credit an order, once; its customer is told.": "Créditer une commande, une fois ; son client en est informé.",
    "Why; its customer reads it.": "Pourquoi ; son client le lira.",
    "Refuse an order; its customer is told why.": "Refuser une commande ; son client en apprend le motif.",
    "order {order}: {credits} credits for account {account}": (
        "commande {order} : {credits} crédits pour le compte {account}"
    ),
    "order {order} is refused": "la commande {order} est refusée",
    "order {order} is unknown": "la commande {order} est inconnue",
    "order {order} is {state}": "état de la commande {order} : {state}",
    "no payment is recorded for order {order}": "aucun paiement n'est noté pour la commande {order}",
    "write it: --method cash --amount 65000 --currency XOF": (
        "l'écrire : --method espèces --amount 65000 --currency XOF"
    ),
    "order {order} cannot be credited: {why}": "la commande {order} ne peut pas être créditée : {why}",
    "this is no reason": "ce n'est pas un motif",
    "this is no payment": "ce n'est pas un paiement",
    "write --amount 65000.00 --paid-on 2026-01-31": "écrire --amount 65000.00 --paid-on 2026-01-31",
    "write --amount 65000.00 --currency XOF": "écrire --amount 65000.00 --currency XOF",
    "write method and reference in printable characters": "écrire mode et référence en caractères imprimables",
    "order_not_paid": "elle n'est pas payée, ou elle est terminée",
    "order_in_approval": "elle attend déjà une approbation",
    "account_closed": "le compte est clos",
    "balance_too_high": "le solde serait trop élevé",
    "placed": "passée",
    "paid": "payée",
    "credited": "créditée",
    "cancelled": "annulée",
    "order_id": "commande",
    "contact": "contact",
    "email": "e-mail",
    "phone": "téléphone",
    "note": "note",
    "placed_at": "passée_le",
    "paid_on": "payée_le",
    "paid_by": "notée_par",
    "payment_reference": "référence_du_paiement",
    "method": "mode",
    "ended_at": "terminée_le",
    "ended_by": "terminée_par",
}
