"""The address of GraphQL, for customers and operators: whoever is proven may ask, each field has the rule of its route.

What belongs here: one row; which fields there are stands in graphql/schema.py.
What must not enter: code.
"""

from __future__ import annotations

from typing import Final

from admin_api import models_graphql as m
from admin_api.graphql import served
from admin_api.languages import Words
from admin_api.route import BY_FIELD, Route

GRAPHQL: Final[tuple[Route, ...]] = (
    Route(
        method="POST",
        path="/graphql",
        scope=BY_FIELD,
        group="graphql",
        summary=Words("Ask several things at once, by GraphQL", "Demander plusieurs choses à la fois, en GraphQL"),
        answer=served.ask,
        body=m.AskGraphql,
        answers=(m.GraphqlAnswer,),
        problems=("query_invalid", "query_too_large"),
    ),
)
