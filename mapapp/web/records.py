"""This module shows and takes the records of a compound: utilities, opinions, design changes, inspections, management."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, g, jsonify, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from mapapp.core.errors import ConflictError, InputError, MapappError
from mapapp.core.text import Text
from mapapp.services import forms, problem_list, records, replies
from mapapp.web import context, errors, i18n, i18n_problems, params, security
from mapapp.web.problems import typed, version

blueprint = Blueprint("records", __name__)

_BESIDE = frozenset({"action", "row_version", "record", "edit_id", "compound_id", "was_ticked"})


@blueprint.get("/records")
def page() -> str | tuple[str, int]:
    """Show the records of ``?compound=``, or let one be chosen."""
    compound_id = params.text("compound")
    if compound_id is None:
        return render_template("records.html", compounds=_compounds(), found=None)
    return _page(compound_id)


def _compounds() -> list[tuple[str, str]]:
    view = context.view()
    found: list[tuple[str, str]] = problem_list.options(view, problem_list.table(view), i18n.language())["compounds"]
    return found


def _page(
    compound_id: str, *, typed_: dict[str, Any] | None = None, error: MapappError | None = None, at: str = ""
) -> tuple[str, int]:
    lang, view = i18n.language(), context.view()
    found = records.page(view, compound_id, lang)
    for table in found["tables"]:
        table["removed"] = records.removed(view, table["name"], compound_id) if view.scope.edits else []
        ids = [str(row[table["key"]]) for row in table["rows"]]
        told = records.histories(view, table["name"], ids, lang, limit=12) if view.scope.edits else {}
        for row, id_ in zip(table["rows"], ids, strict=True):
            row["_history"] = told.get(id_, [])
    html = render_template(
        "records.html", found=found, compounds=[], compound_id=compound_id, typed=typed_ or {}, at=at,
        message=error.message(lang) if error else "", conflict=isinstance(error, ConflictError),
        edits=view.scope.edits and view.snapshot is None, texts=i18n_problems.page_texts(lang),
    )  # fmt: skip
    return html, errors.status_of(error) if error else 200


@blueprint.get("/api/records/<table>")
def listed(table: str) -> Response:
    """Give a compound's rows of a table (``?compound=``), each with its ``row_version``."""
    compound_id = params.text("compound")
    if compound_id is None:
        raise InputError(Text("没有指明小区。", "No compound was named."), where="compound")
    view = context.view()
    records.compound(view, compound_id)
    return jsonify(
        {
            "rows": records.listed(view, table, compound_id),
            "fields": forms.fields(table, i18n.language(), personal=view.scope.edits),
        }
    )


@blueprint.post("/records/<table>")
@blueprint.post("/api/records/<table>", endpoint="api_act")
def act(table: str) -> BaseResponse | tuple[str, int]:
    """Add or change a record (``save``), ``remove`` it, or take a change back (``undo``)."""
    county, scope, lang = context.county(), context.scope(), i18n.language()
    sent = params.body()
    action = params.string(sent, "action", "save", longest=20)
    compound_id = params.string(sent, "compound_id", longest=200)
    record = params.string(sent, "record", longest=200) or None
    values = typed(sent, _BESIDE)
    for name in params.strings(sent, "was_ticked"):  # boxes that are no longer ticked are not sent by a browser
        values.setdefault(name, "")
    said, status = "records.saved", 200
    try:
        if action == "save":
            status = 201 if record is None else 200
            record = records.save(
                county, scope, table, compound_id, values, record=record, expected=version(sent), lang=lang
            )
        elif action == "remove" and record:
            records.remove(county, scope, table, compound_id, record, expected=version(sent))
            said = "records.removed"
        elif action == "undo" and record:
            raw = params.string(sent, "edit_id", longest=12)
            records.undo(county, scope, table, compound_id, record, int(raw) if raw.isdigit() else 0)
            said = "problems.undone"
        else:
            raise InputError(Text(f"不能“{action}”。", f"There is nothing called {action!r}."), where="action")
    except MapappError as error:
        if errors.wants_json() or errors.status_of(error) in (403, 404):
            raise
        return _page(compound_id, typed_=values, error=error, at=f"{table}:{record or ''}")
    if errors.wants_json():
        return make_response(jsonify({"record": record, "table": table}), status)
    flash(i18n.t(said), "success")
    return redirect(url_for("records.page", compound=compound_id, _anchor=table))


def add_reply(made: Blueprint) -> None:
    """Give the addresses of a share its reply field; whoever comes here has passed the share's own door."""

    @made.get("/reply")
    def reply() -> Response:
        """Show the form for an opinion."""
        return _reply(sent=params.text("sent") is not None)

    @made.post("/reply", endpoint="take_reply")
    def take_reply() -> Response | BaseResponse:
        """Keep an opinion; nothing of it is shown again."""
        sent = params.body()
        form = {n: params.string(sent, n, longest=5000) for n in ("compound_id", "stance", "topic", "text", "phone")}
        try:
            replies.take(context.view(), g.opened.number, form, i18n.language())
        except MapappError as error:
            if errors.status_of(error) == 404:
                raise
            status = 429 if isinstance(error, replies.BusyError) else errors.status_of(error)
            return _reply(form=form, message=error.message(i18n.language()), status=status)
        return redirect(url_for("shared.reply", sent=1))


def _reply(*, sent: bool = False, form: dict[str, str] | None = None, message: str = "", status: int = 200) -> Response:
    offered = replies.offer(context.view(), i18n.language())
    page_ = render_template(
        "records_reply.html", **offered, sent=sent, form=form or {}, message=message, longest=replies.LONGEST,
        csrf_token=security.csrf_token,
    )  # fmt: skip
    response = make_response(page_, status)
    response.headers["Cache-Control"] = "no-store"
    return response
