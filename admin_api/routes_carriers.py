"""Operators' addresses of SMPP logins, ways out, commands to nodes, and whose handsets' messages are.

What belongs here: rows.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

from admin_api import connectors, esmes, inbound_ownership
from admin_api import models_carriers as mc
from admin_api import models_inbound as mi
from admin_api.languages import Words
from admin_api.route import Route

_ESMES: Final[tuple[Route, ...]] = (
    Route(
        method="POST",
        path="/v1/admin/esmes",
        permission="esmes.write",
        group="esmes",
        summary=Words(
            "Open an SMPP login; its password is shown once",
            "Ouvrir un identifiant SMPP ; son mot de passe est montré une fois",
        ),
        answer=esmes.add,
        body=mc.AddEsme,
        answers=(mc.Esme,),
        status=201,
        problems=("account_unknown", "system_id_taken"),
    ),
    Route(
        method="GET",
        path="/v1/admin/esmes",
        permission="esmes.read",
        group="esmes",
        summary=Words(
            "List SMPP logins with their binds over all nodes",
            "Lister les identifiants SMPP et leurs liaisons sur tous les nœuds",
        ),
        answer=esmes.show_page,
        query=mc.ListEsmes,
        answers=(mc.Esmes,),
    ),
    Route(
        method="GET",
        path="/v1/admin/esmes/{id}",
        permission="esmes.read",
        group="esmes",
        summary=Words("Show an SMPP login", "Montrer un identifiant SMPP"),
        answer=esmes.show,
        answers=(mc.Esme,),
        problems=("not_found",),
    ),
    Route(
        method="PATCH",
        path="/v1/admin/esmes/{id}",
        permission="esmes.write",
        group="esmes",
        summary=Words(
            "Change limits and wishes of an SMPP login, suspend it, let it bind again",
            "Changer les limites d'un identifiant SMPP, le suspendre, le rétablir",
        ),
        answer=esmes.change,
        body=mc.ChangeEsme,
        answers=(mc.Esme,),
        problems=("not_found",),
    ),
    Route(
        method="POST",
        path="/v1/admin/esmes/{id}/password",
        permission="esmes.write",
        group="esmes",
        summary=Words(
            "Give an SMPP login a new password; the former one binds for a while, too",
            "Donner un nouveau mot de passe ; l'ancien vaut encore un temps",
        ),
        answer=esmes.rotate,
        body=mc.RotatePassword,
        answers=(mc.Esme,),
        problems=("not_found",),
    ),
    Route(
        method="DELETE",
        path="/v1/admin/esmes/{id}/former-password",
        permission="esmes.write",
        group="esmes",
        summary=Words("End the former password of an SMPP login now", "Mettre fin maintenant à l'ancien mot de passe"),
        answer=esmes.confirm,
        answers=(mc.Esme,),
        problems=("not_found",),
    ),
    Route(
        method="POST",
        path="/v1/admin/esmes/{id}/unbind",
        permission="esmes.write",
        group="esmes",
        summary=Words("End the binds of an SMPP login now", "Fermer maintenant les liaisons d'un identifiant SMPP"),
        answer=esmes.unbind,
        answers=(mc.Command,),
        status=202,
        problems=("not_found",),
    ),
    Route(
        method="GET",
        path="/v1/admin/esmes/{id}/history",
        permission="esmes.read",
        group="esmes",
        summary=Words("Show what was changed of an SMPP login", "Montrer ce qui a été changé d'un identifiant SMPP"),
        answer=esmes.show_history,
        query=mc.ReadHistory,
        answers=(mc.EsmeHistory,),
        problems=("not_found",),
    ),
)

_CONNECTORS: Final[tuple[Route, ...]] = (
    Route(
        method="GET",
        path="/v1/admin/connectors",
        permission="connectors.read",
        group="connectors",
        summary=Words(
            "List connectors, and how they stand over all nodes",
            "Lister les connecteurs et leur état sur tous les nœuds",
        ),
        answer=connectors.show_all,
        answers=(mc.Connectors,),
    ),
    Route(
        method="GET",
        path="/v1/admin/connectors/{id}",
        permission="connectors.read",
        group="connectors",
        summary=Words("Show a connector, node by node", "Montrer un connecteur, nœud par nœud"),
        answer=connectors.show,
        answers=(mc.ConnectorShown,),
        problems=("not_found",),
    ),
    Route(
        method="POST",
        path="/v1/admin/connectors/{id}/drain",
        permission="connectors.operate",
        group="connectors",
        summary=Words(
            "Send nothing new by a connector; what waits goes by other routes",
            "Ne plus rien envoyer par un connecteur ; ce qui attend prend d'autres routes",
        ),
        answer=connectors.drain,
        answers=(mc.Command,),
        status=202,
        problems=("not_found",),
    ),
    Route(
        method="POST",
        path="/v1/admin/connectors/{id}/stop",
        permission="connectors.operate",
        group="connectors",
        summary=Words(
            "Drain a connector and end its binds, until it is started",
            "Vider un connecteur et fermer ses liaisons, jusqu'à son démarrage",
        ),
        answer=connectors.stop,
        answers=(mc.Command,),
        status=202,
        problems=("not_found",),
    ),
    Route(
        method="POST",
        path="/v1/admin/connectors/{id}/start",
        permission="connectors.operate",
        group="connectors",
        summary=Words("Let a connector send again", "Laisser un connecteur émettre de nouveau"),
        answer=connectors.start,
        answers=(mc.Command,),
        status=202,
        problems=("not_found",),
    ),
    Route(
        method="POST",
        path="/v1/admin/connectors/{id}/rebind",
        permission="connectors.operate",
        group="connectors",
        summary=Words(
            "End the binds of a connector politely, and open them anew",
            "Fermer poliment les liaisons d'un connecteur, et les rouvrir",
        ),
        answer=connectors.rebind,
        answers=(mc.Command,),
        status=202,
        problems=("not_found",),
    ),
    Route(
        method="GET",
        path="/v1/admin/commands",
        permission="connectors.read",
        group="commands",
        summary=Words(
            "List commands to nodes, newest first",
            "Lister les commandes aux nœuds, de la plus récente à la plus ancienne",
        ),
        answer=connectors.show_commands,
        query=mc.ListCommands,
        answers=(mc.Commands,),
    ),
    Route(
        method="GET",
        path="/v1/admin/commands/{id}",
        permission="connectors.read",
        group="commands",
        summary=Words("Show what nodes did of a command", "Montrer ce que les nœuds ont fait d'une commande"),
        answer=connectors.show_command,
        answers=(mc.Command,),
        problems=("not_found",),
    ),
)

_INBOUND: Final[tuple[Route, ...]] = (
    Route(
        method="GET",
        path="/v1/admin/inbound-numbers",
        permission="routes.read",
        group="inbound",
        summary=Words("List the numbers that handsets write to", "Lister les numéros auxquels on écrit"),
        answer=inbound_ownership.show_numbers,
        answers=(mi.InboundNumbers,),
    ),
    Route(
        method="POST",
        path="/v1/admin/inbound-numbers",
        permission="routes.write",
        group="inbound",
        summary=Words(
            "Give a number that handsets write to to a login or an account",
            "Attribuer un numéro à un identifiant ou à un compte",
        ),
        answer=inbound_ownership.add_number,
        body=mi.AddInboundNumber,
        answers=(mi.InboundNumber,),
        status=201,
        problems=("esme_unknown", "account_unknown", "inbound_place_taken"),
    ),
    Route(
        method="DELETE",
        path="/v1/admin/inbound-numbers/{address}",
        permission="routes.write",
        group="inbound",
        summary=Words("Take a number away", "Retirer un numéro"),
        answer=inbound_ownership.remove_number,
        answers=(mi.InboundNumber,),
        problems=("not_found",),
    ),
    Route(
        method="GET",
        path="/v1/admin/inbound-routes",
        permission="routes.read",
        group="inbound",
        summary=Words(
            "List whose handsets' messages are, the most particular first",
            "Lister à qui vont les messages reçus, du plus précis au plus large",
        ),
        answer=inbound_ownership.show_routes,
        answers=(mi.InboundRoutes,),
    ),
    Route(
        method="POST",
        path="/v1/admin/inbound-routes",
        permission="routes.write",
        group="inbound",
        summary=Words(
            "Give what is sent to a number, or with a keyword, to a login",
            "Attribuer ce qui est envoyé à un numéro, ou avec un mot-clé",
        ),
        answer=inbound_ownership.add_route,
        body=mi.AddInboundRoute,
        answers=(mi.InboundRoute,),
        status=201,
        problems=("esme_unknown", "inbound_place_taken"),
    ),
    Route(
        method="DELETE",
        path="/v1/admin/inbound-routes/{id}",
        permission="routes.write",
        group="inbound",
        summary=Words("Take a route of handsets' messages away", "Retirer une route des messages reçus"),
        answer=inbound_ownership.remove_route,
        answers=(mi.InboundRoute,),
        problems=("not_found",),
    ),
)

OF_CARRIERS: Final[tuple[Route, ...]] = (*_ESMES, *_CONNECTORS, *_INBOUND)
