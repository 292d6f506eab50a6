"""Problems of notices: rows of the one table (problems.py).

Codes never change their meaning.
What must not enter: other matters' problems; when one is answered.
"""

from __future__ import annotations

from typing import Final

from admin_api.languages import Words
from admin_api.problem_kind import ProblemKind

OF_NOTICES: Final = (
    ProblemKind(
        "notice_on_its_way",
        409,
        Words("The notice has not ended yet.", "L'avis n'est pas encore terminé."),
        Words("Wait until its `state` is done or dead.", "Attendez que son `state` soit done ou dead."),
    ),
)
