"""This module lets administrators keep the list of users."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from mapapp.core.errors import MapappError
from mapapp.services import accounts
from mapapp.web import context, errors, i18n, params

blueprint = Blueprint("users", __name__)


def _page(message: str = "", status: int = 200) -> tuple[str, int]:
    return render_template("users.html", users=accounts.listed(context.db()), message=message), status


@blueprint.get("/users")
def listed() -> tuple[str, int]:
    """Show all users."""
    context.scope().require_administrator()
    return _page()


@blueprint.post("/users")
def add() -> Response | tuple[str, int]:
    """Add a user, or remove one (``remove=<name>``), or set a password (``name`` and ``password`` with ``change``)."""
    scope = context.scope()
    scope.require_administrator()
    sent = params.body()
    try:
        if gone := params.string(sent, "remove"):
            accounts.remove(context.db(), gone, by=scope.name)
        elif params.flag(sent, "change"):
            accounts.set_password(
                context.db(), params.string(sent, "name"), params.string(sent, "password", longest=1000)
            )
        else:
            accounts.add(
                context.db(), name=params.string(sent, "name", longest=60), password=params.string(sent, "password", longest=1000),
                role=params.string(sent, "role", "viewer"), unit=params.string(sent, "unit"),
            )  # fmt: skip
    except MapappError as error:
        return _page(error.message(i18n.language()), errors.status_of(error))
    return redirect(url_for("users.listed"))
