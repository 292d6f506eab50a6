"""The headers that keep browsers from mischief, on every answer of the API and of its doors.

Source: RFC 6797 (HSTS, by TLS only), Content Security Policy 3, Fetch (CORP). Pages that the process serves carry a
style of their own and nothing else. What must not enter: what is answered.
"""

from __future__ import annotations

from typing import Final

from gateway.daemon.configuration_schema import AdminApi

ALWAYS: Final = {
    "Server": "passerelle",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
}
TLS_ONLY: Final = {"Strict-Transport-Security": "max-age=31536000"}  # chosen: a year


def security_headers(settings: AdminApi) -> dict[str, str]:
    """Those of a process with this configuration."""
    return ALWAYS | (TLS_ONLY if settings.tls else {})
