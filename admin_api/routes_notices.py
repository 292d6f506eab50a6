"""Addresses of notices: customers' rows, and operators'.

Preferences are put whole: what is not named is not wished any more.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

from admin_api import models_notices as mn
from admin_api import notices
from admin_api.languages import Words
from admin_api.roles import SELF
from admin_api.route import Route

NOTICES: Final[tuple[Route, ...]] = (
    Route(
        method="GET",
        path="/v1/notification-preferences",
        scope="notices",
        group="notices",
        summary=Words("Where the account is told of what", "Où le compte est prévenu, et de quoi"),
        answer=notices.show_own,
        answers=(mn.NoticePreferences,),
    ),
    Route(
        method="PUT",
        path="/v1/notification-preferences",
        scope="notices",
        group="notices",
        summary=Words("Say where the account is told of what", "Dire où le compte est prévenu, et de quoi"),
        answer=notices.change_own,
        body=mn.WishedPreferences,
        answers=(mn.NoticePreferences,),
    ),
    Route(
        method="GET",
        path="/v1/notices",
        scope="notices",
        group="notices",
        summary=Words(
            "What the account was told, newest first", "Ce dont le compte a été prévenu, du plus récent au plus ancien"
        ),
        answer=notices.show_notices,
        query=mn.ListNotices,
        answers=(mn.Notices,),
    ),
)

NOTICES_OF_OPERATORS: Final[tuple[Route, ...]] = (
    Route(
        method="GET",
        path="/v1/admin/notices",
        permission="notices.read",
        group="notices",
        summary=Words("What was sent, newest first", "Ce qui a été envoyé, du plus récent au plus ancien"),
        answer=notices.show_all,
        query=mn.ListAllNotices,
        answers=(mn.Notices,),
    ),
    Route(
        method="POST",
        path="/v1/admin/notices/{id}/resend",
        permission="notices.write",
        group="notices",
        summary=Words("Send again what has ended", "Renvoyer ce qui est terminé"),
        answer=notices.resend,
        answers=(mn.Notice,),
        problems=("not_found", "notice_on_its_way"),
    ),
    Route(
        method="GET",
        path="/v1/admin/notification-preferences",
        permission=SELF,
        group="notices",
        summary=Words("Where one is told of what", "Où l'on est prévenu, et de quoi"),
        answer=notices.show_mine,
        answers=(mn.NoticePreferences,),
    ),
    Route(
        method="PUT",
        path="/v1/admin/notification-preferences",
        permission=SELF,
        group="notices",
        summary=Words("Say where one is told of what", "Dire où l'on est prévenu, et de quoi"),
        answer=notices.change_mine,
        body=mn.WishedPreferences,
        answers=(mn.NoticePreferences,),
    ),
    Route(
        method="GET",
        path="/v1/admin/notification-preferences/house",
        permission="notices.read",
        group="notices",
        summary=Words("Where the house is told of what", "Où la maison est prévenue, et de quoi"),
        answer=notices.show_house,
        answers=(mn.NoticePreferences,),
    ),
    Route(
        method="PUT",
        path="/v1/admin/notification-preferences/house",
        permission="notices.write",
        group="notices",
        summary=Words("Say where the house is told of what", "Dire où la maison est prévenue, et de quoi"),
        answer=notices.change_house,
        body=mn.WishedPreferences,
        answers=(mn.NoticePreferences,),
    ),
    Route(
        method="GET",
        path="/v1/admin/accounts/{id}/notification-preferences",
        permission="notices.read",
        group="notices",
        summary=Words("Where an account is told of what", "Où un compte est prévenu, et de quoi"),
        answer=notices.show_account,
        answers=(mn.NoticePreferences,),
        problems=("not_found",),
    ),
    Route(
        method="PUT",
        path="/v1/admin/accounts/{id}/notification-preferences",
        permission="notices.write",
        group="notices",
        summary=Words("Say where an account is told of what", "Dire où un compte est prévenu, et de quoi"),
        answer=notices.change_account,
        body=mn.WishedPreferences,
        answers=(mn.NoticePreferences,),
        problems=("not_found",),
    ),
)
