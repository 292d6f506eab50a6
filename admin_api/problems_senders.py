"""Problems of sender names, one-time codes, blocks and opt-outs: rows of the one table (problems.py).

Codes never change their meaning.
What must not enter: other matters' problems; when one is answered.
"""

from __future__ import annotations

from typing import Final

from admin_api.languages import Words
from admin_api.problem_kind import ProblemKind

OF_SENDERS: Final = (
    ProblemKind(
        "sender_exists",
        409,
        Words("The account has this sender name already.", "Le compte a déjà ce nom d'émetteur."),
        Words("Look at it by its `id`.", "Consultez-le par son `id`."),
    ),
    ProblemKind(
        "sender_state",
        409,
        Words("The sender name's state does not permit that.", "L'état de ce nom d'émetteur ne le permet pas."),
        Words("Look at its `state`, or ask your operator.", "Regardez son `state`, ou demandez à votre opérateur."),
    ),
    ProblemKind(
        "too_many_requested",
        409,
        Words(
            "Too many sender names of the account wait for a decision.",
            "Trop de noms d'émetteur du compte attendent une décision.",
        ),
        Words("Wait for decisions, or withdraw some.", "Attendez les décisions, ou retirez-en."),
    ),
    ProblemKind(
        "not_a_proof",
        415,
        Words("The proof is no PDF, PNG or JPEG.", "Le justificatif n'est ni un PDF, ni un PNG, ni un JPEG."),
        Words(
            "Send the file as it is; its content counts, not its name.",
            "Envoyez le fichier tel quel ; c'est son contenu qui compte, pas son nom.",
        ),
    ),
    ProblemKind(
        "too_many_proofs",
        409,
        Words(
            "The sender name has as many proofs as it may.", "Ce nom d'émetteur a autant de justificatifs que permis."
        ),
        Words("What is there will be looked at.", "Ce qui est déjà là sera examiné."),
    ),
    ProblemKind(
        "sender_resembles",
        409,
        Words("The sender name looks like a protected one.", "Ce nom d'émetteur ressemble à un nom protégé."),
        Words(
            "`resembles` names it. With the permission in `permission`, approve with `override` and a reason.",
            "`resembles` le nomme. Avec la permission de `permission`, accordez avec `override` et un motif.",
        ),
    ),
    ProblemKind(
        "name_protected",
        409,
        Words("This name is protected in this country already.", "Ce nom est déjà protégé dans ce pays."),
        Words("Look at GET /v1/admin/protected-names.", "Consultez GET /v1/admin/protected-names."),
    ),
    ProblemKind(
        "block_exists",
        409,
        Words("The same block stands already.", "Le même blocage existe déjà."),
        Words("Look at GET /v1/admin/blocks.", "Consultez GET /v1/admin/blocks."),
    ),
    ProblemKind(
        "opted_out_already",
        409,
        Words("This person opted out before.", "Cette personne s'est déjà désabonnée."),
        Words("There is nothing to do.", "Il n'y a rien à faire."),
    ),
    ProblemKind(
        "not_opted_out",
        409,
        Words("This person did not opt out of this account.", "Cette personne ne s'est pas désabonnée de ce compte."),
        Words("Check the number and the account.", "Vérifiez le numéro et le compte."),
    ),
    ProblemKind(
        "otp_limit",
        429,
        Words("Too many codes went there lately.", "Trop de codes y sont partis récemment."),
        Words(
            "`limit` tells whose: the number's, its neighbours', the account's. Wait as long as Retry-After says.",
            "`limit` dit pour qui : le numéro, ses voisins, le compte. Attendez le temps que dit Retry-After.",
        ),
        permanent=False,
        retry_after_s=60,
    ),
    ProblemKind(
        "otp_over",
        409,
        Words("This code is over.", "Ce code est terminé."),
        Words("Send a new one by POST /v1/otp.", "Envoyez-en un nouveau par POST /v1/otp."),
    ),
)
