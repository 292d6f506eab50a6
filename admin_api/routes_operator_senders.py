"""Operators' addresses of sender names, protected names, blocks and opt-outs.

What belongs here: rows of the route table.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

from admin_api import models_operator_senders as mo
from admin_api import operator_blocks, operator_senders, sender_proofs
from admin_api.languages import Words
from admin_api.route import Route

_SENDERS: Final[tuple[Route, ...]] = (
    Route(
        method="GET",
        path="/v1/admin/sender-names",
        permission="senders.read",
        group="sender names",
        summary=Words(
            "Sender names to review, newest first", "Les noms d'émetteur à examiner, du plus récent au plus ancien"
        ),
        answer=operator_senders.show_page,
        query=mo.ListReview,
        answers=(mo.ReviewedSenders,),
    ),
    Route(
        method="GET",
        path="/v1/admin/sender-names/{id}",
        permission="senders.read",
        group="sender names",
        summary=Words("One sender name, with its history", "Un nom d'émetteur, avec son historique"),
        answer=operator_senders.show,
        answers=(mo.ReviewedSender,),
        problems=("not_found",),
    ),
    Route(
        method="GET",
        path="/v1/admin/sender-names/{id}/proofs/{proof}",
        permission="senders.read",
        group="sender names",
        summary=Words("Fetch a proof", "Récupérer un justificatif"),
        answer=operator_senders.fetch_proof,
        answers=(),
        gives_file=True,
        file_types=sender_proofs.MEDIA_TYPES,
        problems=("not_found",),
    ),
    Route(
        method="POST",
        path="/v1/admin/sender-names/{id}/approve",
        permission="senders.write",
        group="sender names",
        summary=Words("Approve a sender name, whole or in part", "Accorder un nom d'émetteur, en tout ou en partie"),
        answer=operator_senders.approve,
        body=mo.ApproveSender,
        answers=(mo.ReviewedSender,),
        problems=("not_found", "sender_state", "sender_resembles"),
    ),
    Route(
        method="POST",
        path="/v1/admin/sender-names/{id}/refuse",
        permission="senders.write",
        group="sender names",
        summary=Words("Refuse a sender name", "Refuser un nom d'émetteur"),
        answer=operator_senders.refuse,
        body=mo.Reasoned,
        answers=(mo.ReviewedSender,),
        problems=("not_found", "sender_state"),
    ),
    Route(
        method="POST",
        path="/v1/admin/sender-names/{id}/suspend",
        permission="senders.write",
        group="sender names",
        summary=Words("Suspend a sender name", "Suspendre un nom d'émetteur"),
        answer=operator_senders.suspend,
        body=mo.Reasoned,
        answers=(mo.ReviewedSender,),
        problems=("not_found", "sender_state"),
    ),
    Route(
        method="GET",
        path="/v1/admin/protected-names",
        permission="senders.read",
        group="sender names",
        summary=Words("Names that others must not imitate", "Les noms que d'autres ne doivent pas imiter"),
        answer=operator_senders.show_protected,
        query=mo.ListProtected,
        answers=(mo.ProtectedNames,),
    ),
    Route(
        method="POST",
        path="/v1/admin/protected-names",
        permission="senders.override",
        group="sender names",
        summary=Words("Protect a name in a country", "Protéger un nom dans un pays"),
        answer=operator_senders.protect,
        body=mo.ProtectName,
        answers=(mo.ProtectedNameShown,),
        status=201,
        problems=("name_protected",),
    ),
    Route(
        method="DELETE",
        path="/v1/admin/protected-names/{id}",
        permission="senders.override",
        group="sender names",
        summary=Words("Protect a name no more", "Ne plus protéger un nom"),
        answer=operator_senders.protect_no_more,
        answers=(mo.ProtectedNameShown,),
        problems=("not_found",),
    ),
)

_BLOCKS: Final[tuple[Route, ...]] = (
    Route(
        method="GET",
        path="/v1/admin/blocks",
        permission="blocks.read",
        group="blocks",
        summary=Words("Destinations that get nothing", "Les destinations qui ne reçoivent rien"),
        answer=operator_blocks.show_blocks,
        query=mo.ListBlocks,
        answers=(mo.Blocks,),
    ),
    Route(
        method="POST",
        path="/v1/admin/blocks",
        permission="blocks.write",
        group="blocks",
        summary=Words("Forbid a destination", "Interdire une destination"),
        answer=operator_blocks.add_block,
        body=mo.AddBlock,
        answers=(mo.Block,),
        status=201,
        problems=("block_exists",),
    ),
    Route(
        method="POST",
        path="/v1/admin/blocks/{id}/remove",
        permission="blocks.write",
        group="blocks",
        summary=Words("Permit a destination again", "Autoriser à nouveau une destination"),
        answer=operator_blocks.remove_block,
        body=mo.Reasoned,
        answers=(mo.Block,),
        problems=("not_found",),
    ),
    Route(
        method="GET",
        path="/v1/admin/opt-outs",
        permission="opt_outs.read",
        group="opt-outs",
        summary=Words(
            "Who wants to hear no more, newest first", "Qui ne veut plus rien recevoir, du plus récent au plus ancien"
        ),
        answer=operator_blocks.show_opt_outs,
        query=mo.ListOptOuts,
        answers=(mo.OptOutPage,),
    ),
    Route(
        method="POST",
        path="/v1/admin/opt-outs",
        permission="opt_outs.write",
        group="opt-outs",
        summary=Words("Write down that somebody opted out", "Noter qu'une personne s'est désabonnée"),
        answer=operator_blocks.add_opt_out,
        body=mo.WriteOptOut,
        answers=(mo.OptOutShown,),
        status=201,
        problems=("opted_out_already",),
    ),
    Route(
        method="POST",
        path="/v1/admin/opt-outs/remove",
        permission="opt_outs.write",
        group="opt-outs",
        summary=Words("Write down that somebody came back", "Noter qu'une personne est revenue"),
        answer=operator_blocks.remove_opt_out,
        body=mo.WriteOptOut,
        answers=(mo.OptOutShown,),
        problems=("not_opted_out",),
    ),
)

OF_SENDERS: Final[tuple[Route, ...]] = (*_SENDERS, *_BLOCKS)
