"""Problems of operators: of signing in, of what a role may do, of users.

What belongs here: rows, in the words of the person at the console. Another matter's rows stand in a file of their own.
What must not enter: customers' problems (problems.py).
"""

from __future__ import annotations

from typing import Final

from admin_api.languages import Words
from admin_api.problem_kind import ProblemKind

OF_OPERATORS: Final = (
    ProblemKind(
        "not_signed_in",
        401,
        Words("You are not signed in.", "Vous n'êtes pas connecté."),
        Words("Sign in: POST /v1/admin/session.", "Connectez-vous : POST /v1/admin/session."),
    ),
    ProblemKind(
        "login_refused",
        401,
        Words("The user name, the password or the code is wrong.", "Le nom, le mot de passe ou le code est faux."),
        Words(
            "Try again; an administrator can give you a new password.",
            "Réessayez ; un administrateur peut vous donner un nouveau mot de passe.",
        ),
    ),
    ProblemKind(
        "code_needed",
        401,
        Words("A code of your second factor is needed.", "Un code de votre second facteur est nécessaire."),
        Words(
            "Send the six digits of your app, or a recovery code, as `code`.",
            "Envoyez les six chiffres de votre application, ou un code de secours, dans `code`.",
        ),
    ),
    ProblemKind(
        "permission_missing",
        403,
        Words("Your role may not do that.", "Votre rôle ne permet pas cela."),
        Words("Ask an administrator.", "Demandez à un administrateur."),
    ),
    ProblemKind(
        "csrf_token_missing",
        403,
        Words("The request does not carry the session's CSRF token.", "La requête ne porte pas le jeton CSRF."),
        Words(
            "Send `csrf_token` of the session as the header X-CSRF-Token.",
            "Envoyez le `csrf_token` de la session dans l'en-tête X-CSRF-Token.",
        ),
    ),
    ProblemKind(
        "password_change_needed",
        403,
        Words("You must first choose a password.", "Vous devez d'abord choisir un mot de passe."),
        Words("Choose one: POST /v1/admin/session/password.", "Choisissez-le : POST /v1/admin/session/password."),
    ),
    ProblemKind(
        "second_factor_needed",
        403,
        Words("Your role needs a second factor.", "Votre rôle exige un second facteur."),
        Words("Enrol one: POST /v1/admin/session/totp.", "Enregistrez-en un : POST /v1/admin/session/totp."),
    ),
    ProblemKind(
        "second_factor_already",
        409,
        Words("You have a second factor already.", "Vous avez déjà un second facteur."),
        Words("Remove it first.", "Retirez-le d'abord."),
    ),
    ProblemKind(
        "user_name_taken",
        409,
        Words("Another user has this name.", "Un autre utilisateur porte ce nom."),
        Words("Choose another name.", "Choisissez un autre nom."),
    ),
    ProblemKind(
        "last_superadmin",
        409,
        Words("This is the last superadmin who is active.", "C'est le dernier superadmin actif."),
        Words("Make another user superadmin first.", "Donnez d'abord ce rôle à un autre utilisateur."),
    ),
    ProblemKind(
        "code_wrong",
        422,
        Words("This code is wrong, or was used before.", "Ce code est faux, ou a déjà servi."),
        Words(
            "Wait for the next one; see that the phone's clock is right.",
            "Attendez le suivant ; vérifiez l'heure du téléphone.",
        ),
    ),
    ProblemKind(
        "password_unfit",
        422,
        Words("This cannot be your password.", "Ce mot de passe ne convient pas."),
        Words(
            "Choose one that is neither your name nor your present password.",
            "Choisissez-en un qui n'est ni votre nom ni votre mot de passe actuel.",
        ),
    ),
    ProblemKind(
        "too_many_tries",
        429,
        Words("Too many wrong tries from your address.", "Trop d'essais faux depuis votre adresse."),
        Words("Wait as long as Retry-After says.", "Attendez le temps que dit Retry-After."),
        permanent=False,
        retry_after_s=1,
    ),
)
