"""The snippets of the webhook pages, run on a delivery as the gateway seals it: they accept it and nothing else.

PHP and Node run where the machine has them. What must not enter: the courier (tests/gateway/webhooks).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping

import pytest

from gateway.storage.webhooks import Delivery
from gateway.webhooks.events import ASKABLE, TEST, Happened
from gateway.webhooks.parcels import Parcel
from tests.docs.pages import ROOT, blocks

PAGES = {name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("webhooks.md", "webhooks.fr.md")}
SECRETS = ["whsec_" + "QUFB" * 8, "whsec_" + "QkJC" * 8]
Judge = Callable[[str, Mapping[str, str], bytes], bool]


def snippet(page: str, language: str) -> str:
    (text,) = (block.text for block in blocks(PAGES[page]) if block.info == language)
    return text


def python_judge(page: str, name: str) -> Judge:
    told: dict[str, Judge] = {}
    exec(snippet(page, "python"), told)
    return told[name]


def program_judge(command: list[str], program: str) -> Judge:
    def judge(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
        given = json.dumps([secret, dict(headers), body.decode()])
        ran = subprocess.run([*command, program], input=given, capture_output=True, text=True, check=True)
        return ran.stdout == "yes"

    return judge


PHP = "$given = json_decode(file_get_contents('php://stdin'), true); echo is_genuine(...$given) ? 'yes' : 'no';"
NODE = "process.stdout.write(isGenuine(...JSON.parse(require('fs').readFileSync(0, 'utf8'))) ? 'yes' : 'no');"
JUDGES: dict[str, Judge] = {
    "python": python_judge("webhooks.md", "is_genuine"),
    "python fr": python_judge("webhooks.fr.md", "est_authentique"),
}
if shutil.which("php"):
    JUDGES["php"] = program_judge(["php", "-r"], snippet("webhooks.md", "php") + PHP)
if shutil.which("node"):
    JUDGES["node"] = program_judge(["node", "-e"], snippet("webhooks.md", "js") + NODE)


@pytest.mark.parametrize("language", JUDGES)
def test_the_page_s_check_accepts_what_is_sent_and_nothing_else(language: str) -> None:
    judge = JUDGES[language]
    delivery = Delivery(9, 1, 1, "endpoint 1", 0, TEST, 1, "", "", "", 0, 2, 1)
    parcel = Parcel(delivery, Happened("evt_9", TEST, 1), "http://x.example/", "native", "POST", SECRETS)
    sent = parcel.seal(int(time.time()))
    assert all(judge(secret, sent.headers, sent.body) for secret in SECRETS), "both sign during a rotation"
    assert not judge("whsec_" + "Q0ND" * 8, sent.headers, sent.body)
    assert not judge(SECRETS[0], sent.headers, sent.body + b" ")
    assert not judge(SECRETS[0], {**sent.headers, "webhook-id": "evt_8"}, sent.body)
    old = parcel.seal(int(time.time()) - 3600)
    assert not judge(SECRETS[0], old.headers, old.body)


def test_every_event_is_told() -> None:
    assert all(f"`{event}`" in PAGES["webhooks.md"] for event in (*ASKABLE, TEST))
