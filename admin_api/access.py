"""Who may ask a row of the route table: the one rule, for a request of REST and for a field of GraphQL.

A customer's key needs the row's scope, an operator's role its permission; neither has what is the other's.
What must not enter: who somebody is (keys.py, sessions.py), whose things a resource shows.
"""

from __future__ import annotations

from admin_api.keys import Caller, scope_missing
from admin_api.problems import Problem
from admin_api.roles import SELF
from admin_api.route import BY_FIELD, Route
from admin_api.sessions import Operator, Sessions, permission_missing


def access_refusal(asked_by: Caller | Operator, route: Route, sessions: Sessions) -> Problem | None:
    """Why who is proven may not; None: he may."""
    if isinstance(asked_by, Caller):
        if route.permission:
            return permission_missing(route.permission)
        return None if route.scope in (BY_FIELD, *asked_by.key.scopes) else scope_missing(route.scope)
    if route.scope not in ("", BY_FIELD):
        return scope_missing(route.scope)
    if route.permission not in ("", SELF, *asked_by.permissions):
        return permission_missing(route.permission)
    return None if route.before_ready else sessions.readiness(asked_by)
