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
)
