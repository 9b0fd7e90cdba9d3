"""This module describes the JSON interface as OpenAPI, from the routes themselves."""

from __future__ import annotations

import re
from typing import Any

from flask import current_app

from mapapp import __version__
from mapapp.core.text import Lang, Text

_QUERY = {
    "as": "Id or date of a snapshot; the live data otherwise.",
    "lang": "zh or en.",
}
_PER_ENDPOINT = {
    "features": {
        "f.<column>": "Accepted values, comma between; ? for missing.",
        "sort": "Column; a minus before it for downwards.",
        "offset": "Rows to skip.",
        "limit": "Rows, at most 1000.",
        "columns": "Columns, comma between.",
    },
    "summary": {"f.<column>": "Accepted values, comma between; ? for missing."},
    "export": {"f.<column>": "Accepted values, comma between; ? for missing."},
    "search": {"q": "A name or id.", "limit": "At most 50."},
    "tile": {"v": "Version of the layer, from /api/view: the tile may then be kept for good."},
}


def describe(lang: Lang) -> dict[str, Any]:
    """Return the OpenAPI 3.1 description of every JSON and tile address, for users and for shares."""
    paths: dict[str, dict[str, Any]] = {}
    for rule in current_app.url_map.iter_rules():
        if not ("/api/" in rule.rule or "/tiles/" in rule.rule or rule.rule in ("/healthz", "/readyz")):
            continue
        view = current_app.view_functions[rule.endpoint]
        name = rule.endpoint.rpartition(".")[2]
        parameters = [
            {"name": p, "in": "path", "required": True, "schema": {"type": "string"}} for p in sorted(rule.arguments)
        ]
        query = {**_QUERY, **_PER_ENDPOINT.get(name, {})} if "GET" in (rule.methods or ()) else {}
        parameters += [
            {"name": n, "in": "query", "description": d, "schema": {"type": "string"}} for n, d in query.items()
        ]
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            paths.setdefault(path, {})[method.lower()] = {
                "operationId": f"{rule.endpoint}.{method}".replace(".", "_"),
                "summary": (view.__doc__ or name).strip().splitlines()[0],
                "parameters": parameters,
                "responses": {
                    "200": {"description": "The answer."},
                    "4XX": {
                        "description": "One sentence in `error`, in the asker's language, with `status` and `where`."
                    },
                },
            }
    title = Text("mapapp 接口", "mapapp interface").pick(lang)
    return {"openapi": "3.1.0", "info": {"title": title, "version": __version__}, "paths": dict(sorted(paths.items()))}
