"""This module serves the numbers at a glance, and the projects with their works."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from mapapp.core.errors import ConflictError, MapappError
from mapapp.services import dashboard, projects
from mapapp.web import context, errors, i18n, numbers, params

blueprint = Blueprint("dashboard", __name__)


_HELP = {"number": numbers.number, "quantity": numbers.quantity, "per_cent": numbers.per_cent}


@blueprint.get("/dashboard")
def page() -> str:
    """Show totals, rates, states, money and progress, sewers, problems, management and funding."""
    return render_template("dashboard.html", d=dashboard.overview(context.view(), i18n.language()), **_HELP)


def _projects(status: int = 200, **more: Any) -> tuple[str, int]:
    found = projects.overview(context.view(), i18n.language())
    return render_template("projects.html", found=found, edits=context.scope().edits, **_HELP, **more), status


@blueprint.get("/projects")
def listed() -> tuple[str, int]:
    """Show the projects, what their compounds add up to, and the works planned and done; ``?edit=`` opens one."""
    wanted = params.text("edit")
    more = {"editing": projects.one(context.view(), wanted)} if wanted and wanted != "new" else {"editing": None}
    return _projects(new=wanted == "new", **more)


@blueprint.post("/projects")
def save() -> BaseResponse | tuple[str, int]:
    """Add a project, or change one whose ``row_version`` was seen; ``undo`` takes an edit back."""
    sent = params.body()
    values = {k: params.string(sent, k, longest=20_000) for k in projects.FIELDS if k != "compound_ids"}
    ids, seen, edit_id = (
        _list(sent.get("compound_ids")),
        params.string(sent, "row_version"),
        params.string(sent, "undo"),
    )
    try:
        if edit_id:
            projects.undo(context.county(), context.scope(), edit_id)
            flash(i18n.t("projects.undone"), "success")
            return redirect(url_for("dashboard.listed"))
        made = projects.save(context.county(), context.scope(), {**values, "compound_ids": ";".join(ids)}, seen=seen)
    except MapappError as error:
        # what was typed stays in the form; saved again it counts, over the state that the message tells of
        version = projects.row_version(context.view(), values["project_id"]) if seen else None
        typed = None if edit_id else values | {"ids": ids, "row_version": version}
        more = {"message": error.message(i18n.language()), "editing": typed, "new": False}
        return _projects(errors.status_of(error), conflict=isinstance(error, ConflictError) and not edit_id, **more)
    flash(i18n.t("projects.saved", id=made), "success")
    return redirect(url_for("dashboard.listed"))


@blueprint.get("/projects/works")
def works() -> str:
    """Show the works of ``?compound=`` by the catalogue, to be ticked."""
    found = projects.works_of(context.view(), params.text("compound") or "", i18n.language())
    return render_template("works.html", found=found, edits=context.scope().edits)


@blueprint.post("/projects/works")
def record() -> BaseResponse:
    """Store which works a compound plans and has done (of ``seen_planned`` and ``seen_done``), or ``undo`` such a change."""
    sent = params.body()
    ident = params.string(sent, "compound")
    if edit_id := params.string(sent, "undo"):
        projects.undo_works(context.county(), context.scope(), ident, edit_id)
        flash(i18n.t("projects.undone"), "success")
        return redirect(url_for("dashboard.works", compound=ident))
    chosen = {name: _list(sent.get(name)) for name in ("planned", "done")}
    seen = {name: _list(sent.get(f"seen_{name}")) for name in chosen} if "seen" in sent else None
    done = projects.record_works(context.county(), context.scope(), ident, **chosen, seen=seen)
    flash(i18n.t("works.saved", **done), "success")
    return redirect(url_for("dashboard.works", compound=ident))


def _list(value: object) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list) else [str(value)] if value else []
