"""Everything that can go wrong with a request: one literal table of problems, and one from refusals to them.

Source: RFC 9457. A problem says whether the same request can succeed later (permanent, retry_after), whose fault it is
and what to do, in both languages; its `code` never changes its meaning, its page is /errors#CODE.
What must not enter: HTTP machinery (application.py), rules (the gateway refuses by values).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from admin_api.languages import Language, Words
from admin_api.problem_kind import ProblemKind
from admin_api.problems_accounts import OF_ACCOUNTS
from admin_api.problems_bodies import OF_BODIES
from admin_api.problems_carriers import OF_CARRIERS
from admin_api.problems_credits import OF_CREDITS
from admin_api.problems_live import OF_LIVE
from admin_api.problems_notices import OF_NOTICES
from admin_api.problems_operators import OF_OPERATORS
from admin_api.problems_senders import OF_SENDERS
from gateway.accept.refusals import Refusal

ERRORS: Final = "/errors"  # of every process: error_catalogue.py


# Of requests, keys and things.
_OF_REQUESTS: Final = (
    ProblemKind(
        "invalid_request",
        400,
        Words("The request has faults.", "La requête contient des erreurs."),
        Words("Correct every field of `errors`.", "Corrigez chaque champ de `errors`."),
    ),
    ProblemKind(
        "query_invalid",
        400,
        Words("The GraphQL document cannot be executed.", "Le document GraphQL ne peut pas être exécuté."),
        Words(
            "Correct it by the schema at /graphql/schema; `reason` says where it fails.",
            "Corrigez-le d'après le schéma de /graphql/schema ; `reason` dit où il échoue.",
        ),
    ),
    ProblemKind(
        "query_too_large",
        400,
        Words("The GraphQL document asks too much at once.", "Le document GraphQL demande trop à la fois."),
        Words(
            "Ask in several requests; `limit` says what is counted.",
            "Demandez en plusieurs fois ; `limit` dit ce qui est compté.",
        ),
    ),
    ProblemKind(
        "not_json",
        400,
        Words("The body is not JSON.", "Le corps n'est pas du JSON."),
        Words("Send UTF-8 JSON (RFC 8259).", "Envoyez du JSON en UTF-8 (RFC 8259)."),
    ),
    ProblemKind(
        "not_a_file",
        415,
        Words("The body is no file.", "Le corps n'est pas un fichier."),
        Words(
            "Send the CSV as text/csv, or as a file of multipart/form-data.",
            "Envoyez le CSV en text/csv, ou comme fichier de multipart/form-data.",
        ),
    ),
    ProblemKind(
        "unauthenticated",
        401,
        Words("The API key is missing or wrong.", "La clé d'API manque ou est fausse."),
        Words(
            "Send `Authorization: Bearer KEY` with a key that is neither revoked nor expired.",
            "Envoyez `Authorization: Bearer CLÉ` avec une clé ni révoquée ni expirée.",
        ),
    ),
    ProblemKind(
        "insufficient_credit",
        402,
        Words("The account's credit does not cover this.", "Le crédit du compte ne suffit pas."),
        Words("Top up the account, or send less.", "Rechargez le compte, ou envoyez moins."),
    ),
    ProblemKind(
        "scope_missing",
        403,
        Words("This API key may not do that.", "Cette clé d'API ne permet pas cela."),
        Words("Use a key with the scope named in `detail`.", "Utilisez une clé qui a le droit nommé dans `detail`."),
    ),
    ProblemKind(
        "address_not_allowed",
        403,
        Words("This API key may not be used from this address.", "Cette clé d'API ne vaut pas depuis cette adresse."),
        Words("Add the address to the key's list.", "Ajoutez l'adresse à la liste de la clé."),
    ),
    ProblemKind(
        "account_suspended",
        403,
        Words("The account is suspended or closed.", "Le compte est suspendu ou clos."),
        Words("Ask your operator.", "Demandez à votre opérateur."),
    ),
    ProblemKind(
        "sender_not_approved",
        403,
        Words("The account may not use this sender name.", "Le compte ne peut pas utiliser ce nom d'émetteur."),
        Words("Request the name, and wait for its approval.", "Demandez ce nom, et attendez son accord."),
    ),
    ProblemKind(
        "not_found",
        404,
        Words("There is no such thing.", "Cela n'existe pas."),
        Words("Check the address and the id.", "Vérifiez l'adresse et l'identifiant."),
    ),
    ProblemKind(
        "method_not_allowed",
        405,
        Words("This method is not for this address.", "Cette méthode ne vaut pas pour cette adresse."),
        Words("Use a method of the header Allow.", "Utilisez une méthode de l'en-tête Allow."),
    ),
    ProblemKind(
        "recipient_blocked",
        409,
        Words("This recipient may not be written to.", "On ne peut pas écrire à ce destinataire."),
        Words(
            "He opted out, or the destination is forbidden: take him off your list.",
            "Il s'est désabonné, ou la destination est interdite : retirez-le de votre liste.",
        ),
    ),
    ProblemKind(
        "client_ref_taken",
        409,
        Words("Another message has this client_ref.", "Un autre message porte ce client_ref."),
        Words("Each client_ref is used once; `message_id` has it.", "Un client_ref sert une fois ; `message_id` l'a."),
    ),
    ProblemKind(
        "too_late",
        409,
        Words("The message was already sent, or has ended.", "Le message est déjà parti, ou terminé."),
        Words("Nothing can be done any more.", "Il n'y a plus rien à faire."),
    ),
    ProblemKind(
        "idempotency_in_flight",
        409,
        Words(
            "A request with this Idempotency-Key is under way.", "Une requête avec cette Idempotency-Key est en cours."
        ),
        Words("Repeat it in a moment.", "Répétez-la dans un instant."),
        permanent=False,
        retry_after_s=1,
    ),
    ProblemKind(
        "body_too_large",
        413,
        Words("The body is too large.", "Le corps est trop grand."),
        Words("Send less at once.", "Envoyez moins à la fois."),
    ),
    ProblemKind(
        "not_a_json_request",
        415,
        Words("The Content-Type is not JSON.", "Le Content-Type n'est pas du JSON."),
        Words("Send `Content-Type: application/json`.", "Envoyez `Content-Type: application/json`."),
    ),
)

# 422: understood, and refused by a rule.
_UNFIT: Final = (
    ProblemKind(
        "idempotency_mismatch",
        422,
        Words("This Idempotency-Key was used with another body.", "Cette Idempotency-Key a servi avec un autre corps."),
        Words("Use a new key for a new request.", "Prenez une nouvelle clé pour une nouvelle requête."),
    ),
    ProblemKind(
        "sender_invalid",
        422,
        Words("This is no possible sender.", "Ce n'est pas un émetteur possible."),
        Words("Give a sender name, or 2 to 15 digits.", "Donnez un nom d'émetteur, ou 2 à 15 chiffres."),
    ),
    ProblemKind(
        "recipient_invalid",
        422,
        Words("This is no possible phone number.", "Ce n'est pas un numéro de téléphone possible."),
        Words(
            "Give it with + and country code, or as it is dialled in the account's country.",
            "Donnez-le avec + et indicatif, ou comme on le compose dans le pays du compte.",
        ),
    ),
    ProblemKind(
        "text_not_encodable",
        422,
        Words("The text cannot be sent so.", "Le texte ne peut pas partir ainsi."),
        Words("Take out the characters in `detail`.", "Retirez les caractères de `detail`."),
    ),
    ProblemKind(
        "text_too_long",
        422,
        Words("The text takes too many parts.", "Le texte prend trop de segments."),
        Words(
            "Shorten it; POST /v1/messages/estimate counts.", "Raccourcissez-le ; POST /v1/messages/estimate compte."
        ),
    ),
    ProblemKind(
        "schedule_invalid",
        422,
        Words("The message cannot wait until then.", "Le message ne peut pas attendre jusque-là."),
        Words("Choose an earlier time.", "Choisissez un moment plus proche."),
    ),
    ProblemKind(
        "validity_invalid",
        422,
        Words("The validity ends before the message could be sent.", "La validité finit avant l'envoi possible."),
        Words("Give a longer validity.", "Donnez une validité plus longue."),
    ),
    ProblemKind(
        "no_route",
        422,
        Words("No route leads to this recipient.", "Aucune route ne mène à ce destinataire."),
        Words("Ask your operator for this destination.", "Demandez cette destination à votre opérateur."),
    ),
    ProblemKind(
        "sender_refused_by_carrier",
        422,
        Words("The carriers of this destination refuse this sender.", "Les opérateurs refusent cet émetteur."),
        Words("Use another sender, or ask your operator.", "Prenez un autre émetteur, ou demandez à votre opérateur."),
    ),
    ProblemKind(
        "no_reply_impossible",
        422,
        Words(
            "No route carries a sender that cannot be replied to.", "Aucune route ne porte un émetteur sans réponse."
        ),
        Words("Send with `no_reply` false.", "Envoyez avec `no_reply` à false."),
    ),
    ProblemKind(
        "batch_undone",
        422,
        Words("Another message of this atomic batch was refused.", "Un autre message de ce lot atomique est refusé."),
        Words("Correct that one, and send the batch again.", "Corrigez-le, et renvoyez le lot."),
    ),
    ProblemKind(
        "all_refused",
        422,
        Words("No message was accepted.", "Aucun message n'est accepté."),
        Words("Each entry of `messages` says why.", "Chaque entrée de `messages` dit pourquoi."),
    ),
    ProblemKind(
        "day_limit",
        429,
        Words("The account's messages of this day are used up.", "Les messages du jour de ce compte sont épuisés."),
        Words(
            "Wait for the next day (UTC), or ask for a higher limit.", "Attendez le lendemain (UTC), ou demandez plus."
        ),
    ),
)

# Of webhooks.
_OF_WEBHOOKS: Final = (
    ProblemKind(
        "url_not_permitted",
        422,
        Words("This URL would never be asked.", "Cette URL ne serait jamais appelée."),
        Words("Name a public address.", "Nommez une adresse publique."),
    ),
    ProblemKind(
        "too_many_webhooks",
        409,
        Words("The account has as many webhooks as it may.", "Le compte a autant de webhooks que permis."),
        Words("Remove one, or change one.", "Supprimez-en un, ou modifiez-en un."),
    ),
    ProblemKind(
        "webhook_disabled",
        409,
        Words("The webhook is disabled.", "Le webhook est désactivé."),
        Words("Repair its server, then PATCH state to active.", "Réparez son serveur, puis PATCH state à active."),
    ),
)

# The same request may succeed later without anybody changing anything.
_TEMPORARY: Final = (
    ProblemKind(
        "throttled",
        429,
        Words("Too many requests.", "Trop de requêtes."),
        Words("Wait as long as Retry-After says.", "Attendez le temps que dit Retry-After."),
        permanent=False,
        retry_after_s=1,
    ),
    ProblemKind(
        "internal_fault",
        500,
        Words("The gateway made a mistake.", "La passerelle a fait une erreur."),
        Words("Tell your operator the `request_id`.", "Donnez le `request_id` à votre opérateur."),
        permanent=False,
        retry_after_s=30,
    ),
    *(
        ProblemKind(
            code,
            503,
            Words(en, fr),
            Words("Nothing was accepted: repeat it later.", "Rien n'est accepté : répétez plus tard."),
            permanent=False,
            retry_after_s=5,
        )
        for code, en, fr in (
            ("overloaded", "The gateway has too much to do.", "La passerelle a trop à faire."),
            ("disk_full", "The gateway takes nothing new for want of room.", "La passerelle n'a plus de place."),
            (
                "database_away",
                "The gateway cannot store anything now.",
                "La passerelle ne peut rien stocker maintenant.",
            ),
            ("draining", "This process is stopping.", "Ce processus s'arrête."),
            ("node_away", "No node is there to send this.", "Aucun nœud n'est là pour envoyer cela."),
        )
    ),
    ProblemKind(
        "not_done",
        409,
        Words("The result is not there yet.", "Le résultat n'est pas encore là."),
        Words("Ask for the job until its status is done.", "Demandez la tâche jusqu'à ce que son état soit done."),
        permanent=False,
        retry_after_s=2,
    ),
    ProblemKind(
        "too_many_jobs",
        429,
        Words("Ten files of the account wait already.", "Dix fichiers du compte attendent déjà."),
        Words("Wait until one is done, or cancel one.", "Attendez que l'un soit fini, ou annulez-en un."),
        permanent=False,
        retry_after_s=30,
    ),
    ProblemKind(
        "spool_full",
        503,
        Words("There is no room for files now.", "Il n'y a plus de place pour des fichiers."),
        Words("Come again later; tell your operator.", "Revenez plus tard ; prévenez votre opérateur."),
        permanent=False,
        retry_after_s=600,
    ),
    ProblemKind(
        "outcome_unknown",
        504,
        Words("Nobody knows yet whether this was accepted.", "Personne ne sait encore si c'est accepté."),
        Words(
            "Repeat it with the same Idempotency-Key or client_ref: it is accepted once.",
            "Répétez avec la même Idempotency-Key ou le même client_ref : ce sera accepté une fois.",
        ),
        permanent=False,
        retry_after_s=10,
    ),
)

PROBLEMS: Final[Mapping[str, ProblemKind]] = {
    kind.code: kind
    for kind in (
        *_OF_REQUESTS,
        *_UNFIT,
        *_OF_WEBHOOKS,
        *_TEMPORARY,
        *OF_BODIES,
        *OF_ACCOUNTS,
        *OF_CREDITS,
        *OF_LIVE,
        *OF_NOTICES,
        *OF_OPERATORS,
        *OF_SENDERS,
        *OF_CARRIERS,
    )
}

OF_REFUSAL: Final[Mapping[Refusal, str]] = {
    Refusal.SOURCE_INVALID: "sender_invalid",
    Refusal.SENDER_NOT_OWNED: "sender_not_approved",
    Refusal.DESTINATION_INVALID: "recipient_invalid",
    Refusal.DESTINATION_BLOCKED: "recipient_blocked",
    Refusal.DATA_CODING_UNSUPPORTED: "text_not_encodable",
    Refusal.MESSAGE_LENGTH: "text_too_long",
    Refusal.TOO_MANY_PARTS: "text_too_long",
    Refusal.SCHEDULE_INVALID: "schedule_invalid",
    Refusal.VALIDITY_INVALID: "validity_invalid",
    Refusal.TLV_LENGTH: "invalid_request",  # the API carries no TLV
    Refusal.TLV_VALUE: "invalid_request",
    Refusal.NO_ROUTE: "no_route",
    Refusal.SENDER_REFUSED: "sender_refused_by_carrier",
    Refusal.NO_CREDIT: "insufficient_credit",
    Refusal.ACCOUNT_SUSPENDED: "account_suspended",
    Refusal.RATE_EXCEEDED: "throttled",
    Refusal.DAY_LIMIT: "day_limit",
    Refusal.WINDOW_EXCEEDED: "throttled",
    Refusal.QUEUE_FULL: "overloaded",
    Refusal.DISK_FULL: "disk_full",
    Refusal.DATABASE_AWAY: "database_away",
    Refusal.DRAINING: "draining",
}


class Fault(msgspec.Struct, frozen=True):
    """One fault of a request: where (`body`, `query` or `path`, then names and positions), what, in words."""

    loc: tuple[str | int, ...]
    type: str
    msg: Words


class Problem(msgspec.Struct):
    """A problem of one request. detail: more than the title says; more: extension members (RFC 9457 3.2)."""

    code: str
    detail: Words | None = None
    errors: list[Fault] = []
    more: dict[str, Any] = {}
    retry_after_s: int = 0  # where it is known better than the table does

    @property
    def kind(self) -> ProblemKind:
        """Its row."""
        return PROBLEMS[self.code]


def refused(refusal: Refusal) -> Problem:
    """The problem that a refusal of the gateway is."""
    return Problem(OF_REFUSAL[refusal])


def members(problem: Problem, language: Language) -> dict[str, Any]:
    """The problem as JSON members; `retry_after` only where waiting helps."""
    kind = problem.kind
    told: dict[str, Any] = {
        "type": f"{ERRORS}#{kind.code}",
        "title": kind.title.say(language),
        "status": kind.status,
        "detail": (problem.detail or kind.remedy).say(language),
        "code": kind.code,
        "permanent": kind.permanent,
    }
    retry_after_s = problem.retry_after_s or kind.retry_after_s
    if retry_after_s:
        told["retry_after"] = retry_after_s
    if problem.errors:
        told["errors"] = [
            {"loc": list(fault.loc), "type": fault.type, "msg": fault.msg.say(language)} for fault in problem.errors
        ]
    return told | problem.more
