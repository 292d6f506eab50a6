"""The desk of notices as a process of the HTTP API runs it.

What belongs here: building it from the configuration.
What must not enter: what is sent, and when.
"""

from __future__ import annotations

import functools
import random
import ssl

from gateway.daemon.configuration_schema import Configuration, Mail
from gateway.lifecycle import Lifecycle
from gateway.notice_events import clean_text
from gateway.notices.desk import DeskSettings, NoticeDesk
from gateway.notices.mailer import MailSettings
from gateway.notices.tallies import NoticeTallies
from gateway.notices.text_messages import Texter
from gateway.notices.watches import WatchTimes
from gateway.notices.wording import load_templates
from gateway.storage.database import connect
from gateway.storage.reader import Reader
from gateway.wall_clock import wall_ms

DAY_MS = 86_400_000


class NoticesFault(Exception):
    """The desk cannot start; the text names the key and the remedy."""


def mail_settings(mail: Mail) -> MailSettings:
    """As the mailer takes them."""
    password = None if mail.password is None else mail.password.reveal()
    place = (mail.host, mail.port, mail.tls, mail.user, password, mail.sender)
    return MailSettings(*place, mail.connect_timeout_s, mail.timeout_s)


def mail_context(mail: Mail) -> ssl.SSLContext:
    """Whom we believe to be the mail server. Raises NoticesFault."""
    try:
        return ssl.create_default_context(cafile=mail.tls_ca)
    except OSError as fault:
        raise NoticesFault(f"[mail] tls_ca cannot be used: {fault}; name a PEM file of certificates") from fault


async def send_notices(
    configuration: Configuration, dsn: str, lifecycle: Lifecycle, reader: Reader, tallies: NoticeTallies
) -> None:
    """Send what was told until cancelled. Raises NoticesFault, TemplateFault."""
    load_templates()
    mail, notices = configuration.mail, configuration.notices
    watch = WatchTimes(int(notices.bind_down_after_s * 1000), int(notices.node_dead_after_s * 1000))
    desk = NoticeDesk(
        functools.partial(connect, dsn),
        DeskSettings(clean_text(notices.house), notices.most_an_hour, notices.keep_days * DAY_MS, watch),
        None if mail is None else mail_settings(mail),
        None if mail is None else mail_context(mail),
        Texter(lifecycle, reader, notices.account, notices.sms_sender) if notices.account else None,
        wall_ms,
        random.random,
        tallies,
    )
    await desk.run()
