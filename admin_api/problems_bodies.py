"""Problems of bodies, whatever they say: how they come, and how they are dressed.

Source: RFC 9110 15.5.9 (408), 15.5.16 (415).
What must not enter: what is asked.
"""

from __future__ import annotations

from typing import Final

from admin_api.languages import Words
from admin_api.problem_kind import ProblemKind

OF_BODIES: Final = (
    ProblemKind(
        "too_slow",
        408,
        Words("The body did not come in time.", "Le corps n'est pas arrivé à temps."),
        Words("Send it again, whole and at once.", "Renvoyez-le, en entier et d'un trait."),
        permanent=False,
        retry_after_s=1,
    ),
    ProblemKind(
        "body_packed",
        415,
        Words("The body is compressed.", "Le corps est compressé."),
        Words("Send it without Content-Encoding.", "Envoyez-le sans Content-Encoding."),
    ),
)
