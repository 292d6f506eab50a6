"""Operators' addresses: rows with a permission in place of a scope. Another matter's rows stand in a file of their own,
`routes_<matter>.py`, and are joined in OPERATORS.

What belongs here: signing in, users, the audit log. What must not enter: code.
"""

from __future__ import annotations

from typing import Final

from admin_api import audit_reading, enrolment, signing_in, users
from admin_api import models_operators as mo
from admin_api.languages import Words
from admin_api.roles import OPEN, SELF
from admin_api.route import Route
from admin_api.routes_accounts import ACCOUNTS
from admin_api.routes_carriers import OF_CARRIERS
from admin_api.routes_credits import CREDITS
from admin_api.routes_live import LIVE
from admin_api.routes_notices import NOTICES_OF_OPERATORS
from admin_api.routes_operator_senders import OF_SENDERS
from admin_api.routes_rules import OF_RULES

_SIGNING_IN: Final[tuple[Route, ...]] = (
    Route(
        method="POST",
        path="/v1/admin/session",
        permission=OPEN,
        group="session",
        summary=Words("Sign in", "Se connecter"),
        answer=signing_in.sign_in,
        body=mo.SignIn,
        answers=(mo.SignedIn,),
        status=201,
        problems=("login_refused", "code_needed", "too_many_tries"),
    ),
    Route(
        method="GET",
        path="/v1/admin/session",
        permission=SELF,
        group="session",
        summary=Words("Who is signed in, and what he may do", "Qui est connecté, et ce qu'il peut faire"),
        answer=signing_in.show,
        answers=(mo.SignedIn,),
        before_ready=True,
    ),
    Route(
        method="DELETE",
        path="/v1/admin/session",
        permission=SELF,
        group="session",
        summary=Words("Sign out", "Se déconnecter"),
        answer=signing_in.sign_out,
        answers=(mo.Ended,),
        before_ready=True,
    ),
    Route(
        method="POST",
        path="/v1/admin/session/password",
        permission=SELF,
        group="session",
        summary=Words("Choose another password", "Choisir un autre mot de passe"),
        answer=signing_in.change_password,
        body=mo.ChangePassword,
        answers=(mo.Ended,),
        before_ready=True,
        problems=("login_refused", "too_many_tries", "password_unfit"),
    ),
    Route(
        method="GET",
        path="/v1/admin/sessions",
        permission=SELF,
        group="session",
        summary=Words("Where one is signed in", "Où l'on est connecté"),
        answer=signing_in.show_sessions,
        answers=(mo.SessionList,),
    ),
    Route(
        method="DELETE",
        path="/v1/admin/sessions/{id}",
        permission=SELF,
        group="session",
        summary=Words("End one of one's sessions", "Terminer une de ses sessions"),
        answer=signing_in.end_session,
        answers=(mo.Ended,),
        problems=("not_found",),
    ),
)

_SECOND_FACTOR: Final[tuple[Route, ...]] = (
    Route(
        method="POST",
        path="/v1/admin/session/totp",
        permission=SELF,
        group="session",
        summary=Words("Begin to enrol a second factor", "Commencer à enregistrer un second facteur"),
        answer=enrolment.propose,
        body=mo.EnrolTotp,
        answers=(mo.ProposedTotp,),
        before_ready=True,
        problems=("login_refused", "too_many_tries", "second_factor_already", "password_change_needed"),
    ),
    Route(
        method="POST",
        path="/v1/admin/session/totp/confirm",
        permission=SELF,
        group="session",
        summary=Words("Put a second factor in force by its code", "Mettre un second facteur en vigueur par son code"),
        answer=enrolment.confirm,
        body=mo.ConfirmTotp,
        answers=(mo.RecoveryCodes,),
        before_ready=True,
        problems=("code_wrong", "too_many_tries", "password_change_needed"),
    ),
    Route(
        method="POST",
        path="/v1/admin/session/totp/remove",
        permission=SELF,
        group="session",
        summary=Words("Remove one's second factor", "Retirer son second facteur"),
        answer=enrolment.remove,
        body=mo.RemoveTotp,
        answers=(mo.SignedIn,),
        problems=("login_refused", "too_many_tries", "code_wrong"),
    ),
)

_USERS: Final[tuple[Route, ...]] = (
    Route(
        method="POST",
        path="/v1/admin/users",
        permission="users.write",
        group="users",
        summary=Words("Make a user", "Créer un utilisateur"),
        answer=users.add,
        body=mo.AddUser,
        answers=(mo.User,),
        status=201,
        problems=("user_name_taken",),
    ),
    Route(
        method="GET",
        path="/v1/admin/users",
        permission="users.read",
        group="users",
        summary=Words("List users by name", "Lister les utilisateurs par nom"),
        answer=users.show_all,
        query=mo.ListUsers,
        answers=(mo.Users,),
    ),
    Route(
        method="GET",
        path="/v1/admin/users/{id}",
        permission="users.read",
        group="users",
        summary=Words("One user", "Un utilisateur"),
        answer=users.show,
        answers=(mo.User,),
        problems=("not_found",),
    ),
    Route(
        method="PATCH",
        path="/v1/admin/users/{id}",
        permission="users.write",
        group="users",
        summary=Words("Change, suspend or resume a user", "Modifier, suspendre ou rétablir un utilisateur"),
        answer=users.change,
        body=mo.ChangeUser,
        answers=(mo.User,),
        problems=("not_found", "last_superadmin"),
    ),
    Route(
        method="POST",
        path="/v1/admin/users/{id}/password",
        permission="users.write",
        group="users",
        summary=Words(
            "Give a user a new password to begin with", "Donner à un utilisateur un nouveau mot de passe de départ"
        ),
        answer=users.reset_password,
        answers=(mo.NewUserPassword,),
        problems=("not_found",),
    ),
    Route(
        method="POST",
        path="/v1/admin/users/{id}/totp/remove",
        permission="users.write",
        group="users",
        summary=Words("Take away a user's second factor", "Retirer le second facteur d'un utilisateur"),
        answer=users.remove_second_factor,
        answers=(mo.User,),
        problems=("not_found",),
    ),
    Route(
        method="DELETE",
        path="/v1/admin/users/{id}/sessions",
        permission="users.write",
        group="users",
        summary=Words("Sign a user out everywhere", "Déconnecter un utilisateur partout"),
        answer=users.end_sessions,
        answers=(mo.Ended,),
        problems=("not_found",),
    ),
)

_AUDIT: Final[tuple[Route, ...]] = (
    Route(
        method="GET",
        path="/v1/admin/audit",
        permission="audit.read",
        group="audit",
        summary=Words("Who changed what, newest first", "Qui a changé quoi, du plus récent au plus ancien"),
        answer=audit_reading.show_page,
        query=mo.ListAudit,
        answers=(mo.AuditPage,),
    ),
)

OPERATORS: Final[tuple[Route, ...]] = (
    *_SIGNING_IN,
    *_SECOND_FACTOR,
    *_USERS,
    *_AUDIT,
    *ACCOUNTS,
    *CREDITS,
    *OF_CARRIERS,
    *NOTICES_OF_OPERATORS,
    *OF_SENDERS,
    *OF_RULES,
    *LIVE,
)
