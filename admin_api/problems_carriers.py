"""Problems of SMPP logins, ways out, routes and rates, in the words of the person at the console.

What belongs here: rows.
What must not enter: another matter's problems.
"""

from __future__ import annotations

from typing import Final

from admin_api.languages import Words
from admin_api.problem_kind import ProblemKind

OF_CARRIERS: Final = (
    ProblemKind(
        "system_id_taken",
        409,
        Words("Another login has this system_id.", "Un autre identifiant porte ce system_id."),
        Words("Choose another.", "Choisissez-en un autre."),
    ),
    ProblemKind(
        "account_unknown",
        422,
        Words("There is no open account of this id.", "Aucun compte ouvert ne porte cet identifiant."),
        Words("Name an account that is not closed.", "Nommez un compte qui n'est pas clos."),
    ),
    ProblemKind(
        "esme_unknown",
        422,
        Words("There is no SMPP login of this id.", "Aucun identifiant SMPP ne porte ce numéro."),
        Words("Look at /v1/admin/esmes.", "Voyez /v1/admin/esmes."),
    ),
    ProblemKind(
        "inbound_place_taken",
        409,
        Words(
            "This number, keyword and order have an owner.", "Ce numéro, avec ce mot-clé et cet ordre, est attribué."
        ),
        Words("Take it away first, or choose another place.", "Retirez-le d'abord, ou choisissez une autre place."),
    ),
    ProblemKind(
        "version_moved",
        409,
        Words("Another version came into force meanwhile.", "Une autre version est entrée en vigueur entre-temps."),
        Words(
            "Look at the differences to `current`; a draft is put over it by POST .../base.",
            "Regardez les différences avec `current` ; un brouillon passe par-dessus avec POST .../base.",
        ),
    ),
    ProblemKind(
        "draft_moved",
        409,
        Words("Somebody else changed the draft meanwhile.", "Quelqu'un d'autre a modifié le brouillon entre-temps."),
        Words("Read it again, and repeat with its `revision`.", "Relisez-le, et répétez avec sa `revision`."),
    ),
    ProblemKind(
        "draft_closed",
        409,
        Words("The draft was activated or discarded.", "Le brouillon a été activé ou abandonné."),
        Words("Begin another.", "Commencez-en un autre."),
    ),
    ProblemKind(
        "rules_faulty",
        422,
        Words("The draft has faults.", "Le brouillon a des erreurs."),
        Words("Correct each of `faults`.", "Corrigez chacune de `faults`."),
    ),
    ProblemKind(
        "rules_doubtful",
        409,
        Words("The draft leaves doubts.", "Le brouillon laisse des doutes."),
        Words(
            "Look at `doubts`; if it is meant, repeat with despite_doubts.",
            "Regardez `doubts` ; si c'est voulu, répétez avec despite_doubts.",
        ),
    ),
    ProblemKind(
        "card_unfit",
        422,
        Words("The file cannot be read as a rate card.", "Le fichier ne se lit pas comme une grille tarifaire."),
        Words("What is wrong stands in `detail`.", "`detail` dit ce qui ne va pas."),
    ),
)
