"""Which real peers are on this machine, and what a test says when one is not.

`make interop` decides: an absent peer fails its tests, unless PASSERELLE_INTEROP=present asked for what is there;
then its tests are skipped, with the name of what is missing. What must not enter: how a peer is run.
"""

from __future__ import annotations

import os
import shutil
from typing import Final

import pytest

PRESENT_ONLY: Final = "PASSERELLE_INTEROP"
PROGRAMS_ELSEWHERE: Final = "/usr/sbin:/usr/local/sbin"  # where Debian puts bearerbox, beyond a plain user's PATH
PACKAGES: Final = {
    "bearerbox": "kannel",
    "smsbox": "kannel",
    "tshark": "tshark",
    "text2pcap": "tshark",
    "php": "php-cli",
    "node": "nodejs",
}


def find_program(name: str) -> str | None:
    """The path of a peer's program; None when it is absent."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{PROGRAMS_ELSEWHERE}")


def need_program(name: str) -> str:
    """The path of a peer's program; where it is absent the test fails, or is skipped when that was asked for."""
    found = find_program(name)
    if found is None:
        why = f"{name} is absent (remedy, as root: apt-get install {PACKAGES[name]})"
        if os.environ.get(PRESENT_ONLY) == "present":
            pytest.skip(why)
        pytest.fail(why, pytrace=False)
    return found
