"""Addresses of sender names, one-time codes and opt-outs: customers' rows, and operators'.

A paper comes and goes as a file of the types that sender_proofs.py knows.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

from admin_api import models_opt_outs as mu
from admin_api import models_otp as mo
from admin_api import models_senders as ms
from admin_api import opt_outs, otp, sender_names, sender_proofs
from admin_api.languages import Words
from admin_api.route import SENDING, Route

_OF_CUSTOMERS: Final[tuple[Route, ...]] = (
    Route(
        method="POST",
        path="/v1/sender-names",
        scope="senders",
        group="sender names",
        summary=Words("Ask for a sender name, with a proof", "Demander un nom d'émetteur, avec un justificatif"),
        answer=sender_names.request,
        body=ms.RequestSender,
        answers=(ms.SenderName,),
        status=201,
        problems=("sender_exists", "too_many_requested", "not_a_proof"),
    ),
    Route(
        method="GET",
        path="/v1/sender-names",
        scope="senders",
        group="sender names",
        summary=Words("List sender names, newest first", "Lister les noms d'émetteur, du plus récent au plus ancien"),
        answer=sender_names.show_all,
        query=ms.ListSenders,
        answers=(ms.SenderNames,),
    ),
    Route(
        method="GET",
        path="/v1/sender-names/{id}",
        scope="senders",
        group="sender names",
        summary=Words("One sender name", "Un nom d'émetteur"),
        answer=sender_names.show,
        answers=(ms.SenderName,),
        problems=("not_found",),
    ),
    Route(
        method="DELETE",
        path="/v1/sender-names/{id}",
        scope="senders",
        group="sender names",
        summary=Words("Withdraw a sender name", "Retirer un nom d'émetteur"),
        answer=sender_names.withdraw,
        answers=(ms.SenderName,),
        problems=("not_found", "sender_state"),
    ),
    Route(
        method="POST",
        path="/v1/sender-names/{id}/proofs",
        scope="senders",
        group="sender names",
        summary=Words("Add a proof: PDF, PNG or JPEG", "Ajouter un justificatif : PDF, PNG ou JPEG"),
        answer=sender_names.add_proof,
        answers=(ms.SenderName,),
        status=201,
        takes_file=True,
        file_types=sender_proofs.MEDIA_TYPES,
        problems=("not_found", "not_a_proof", "too_many_proofs", "body_too_large"),
    ),
    Route(
        method="GET",
        path="/v1/sender-names/{id}/proofs/{proof}",
        scope="senders",
        group="sender names",
        summary=Words("Fetch a proof", "Récupérer un justificatif"),
        answer=sender_names.fetch_proof,
        answers=(),
        gives_file=True,
        file_types=sender_proofs.MEDIA_TYPES,
        problems=("not_found",),
    ),
)

_CODES: Final[tuple[Route, ...]] = (
    Route(
        method="POST",
        path="/v1/otp",
        scope="otp",
        group="one-time codes",
        summary=Words("Send a one-time code", "Envoyer un code à usage unique"),
        answer=otp.send,
        body=mo.SendOtp,
        answers=(mo.SentOtp,),
        status=202,
        idempotent=True,
        problems=(*SENDING, "otp_limit"),
    ),
    Route(
        method="GET",
        path="/v1/otp/{id}",
        scope="otp",
        group="one-time codes",
        summary=Words("Where a one-time code stands", "Où en est un code à usage unique"),
        answer=otp.show,
        answers=(mo.Otp,),
        problems=("not_found",),
    ),
    Route(
        method="POST",
        path="/v1/otp/{id}/verify",
        scope="otp",
        group="one-time codes",
        summary=Words("Try what the person typed", "Essayer ce que la personne a saisi"),
        answer=otp.verify,
        body=mo.VerifyOtp,
        answers=(mo.VerifiedOtp,),
        problems=("not_found",),
    ),
    Route(
        method="POST",
        path="/v1/otp/{id}/resend",
        scope="otp",
        group="one-time codes",
        summary=Words("Send another code in its place", "Envoyer un autre code à la place"),
        answer=otp.send_again,
        answers=(mo.SentOtp,),
        status=202,
        problems=(*SENDING, "not_found", "otp_limit", "otp_over"),
    ),
)

_OPT_OUTS: Final[tuple[Route, ...]] = (
    Route(
        method="GET",
        path="/v1/opt-outs",
        scope="opt-outs",
        group="opt-outs",
        summary=Words("Who wants to hear no more from you", "Qui ne veut plus rien recevoir de vous"),
        answer=opt_outs.show_page,
        query=mu.ListOwnOptOuts,
        answers=(mu.OptOuts,),
    ),
    Route(
        method="POST",
        path="/v1/opt-outs",
        scope="opt-outs",
        group="opt-outs",
        summary=Words("Write down who opted out another way", "Noter qui s'est désabonné autrement"),
        answer=opt_outs.add,
        body=mu.AddOptOuts,
        answers=(mu.OptOutsAdded,),
    ),
    Route(
        method="POST",
        path="/v1/opt-outs/import",
        scope="opt-outs",
        group="opt-outs",
        summary=Words("Write down a file of them", "En noter un fichier"),
        answer=opt_outs.import_file,
        query=mu.AskImport,
        answers=(mu.OptOutsAdded,),
        takes_file=True,
        problems=("not_a_file", "body_too_large"),
    ),
)

SENDERS: Final[tuple[Route, ...]] = (*_OF_CUSTOMERS, *_CODES, *_OPT_OUTS)
