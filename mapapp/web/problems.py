"""This module shows the list of problems, takes changes to it, and makes problems of findings."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from mapapp.core.errors import ConflictError, InputError, MapappError
from mapapp.core.text import Text
from mapapp.services import deciding, forms, photos, problem_list, problems
from mapapp.web import context, errors, i18n, i18n_problems, params

blueprint = Blueprint("problems", __name__)

_SENT_BESIDE = frozenset({"action", "row_version", "note", "edit_id", "stage", "caption", "decided_at"})


def _wanted() -> problem_list.Wanted:
    state = params.text("state") or "open"
    if state not in ("open", "overdue", "settled", "all"):
        raise InputError(Text(f"没有“{state}”这种状态。", f"There is no state {state!r}."), where="state")
    return problem_list.Wanted(
        category=params.text("category") or "", status=params.text("status") or "", unit=params.text("unit") or "",
        street=params.text("street") or "", compound=params.text("compound") or "", state=state,
        text=params.text("q") or "",
    )  # fmt: skip


def typed(sent: dict[str, Any], skip: frozenset[str] = _SENT_BESIDE) -> dict[str, Any]:
    """Return the columns of a posted form; what stands beside them (version, action, note) is left out."""
    out: dict[str, Any] = {}
    for name, value in sent.items():
        if name in skip:
            continue
        if isinstance(value, list):
            out[name] = list(params.strings(sent, name))
        elif isinstance(value, bool) or value is None:
            out[name] = value
        else:
            out[name] = params.string(sent, name, longest=10_000)
    return out


def version(sent: dict[str, Any]) -> int | None:
    """Return the row version that a form was filled in on; None when it names none."""
    raw = params.string(sent, "row_version", longest=12)
    if raw and not raw.isdigit():
        raise InputError(Text("版本号无效。", "The version is not valid."), where="row_version")
    return int(raw) if raw else None


@blueprint.get("/problems")
def listed() -> str:
    """Show the list, filtered by the address."""
    wanted = _wanted()
    found = problem_list.listed(context.view(), wanted, i18n.language())
    return render_template("problems.html", found=found, wanted=wanted, edits=context.scope().edits)


@blueprint.get("/api/problems")
def api_listed() -> Response:
    """Give the list of problems, overdue ones first, filtered by category, status, unit, street, compound and state."""
    found = problem_list.listed(context.view(), _wanted(), i18n.language())
    return jsonify({name: found[name] for name in ("rows", "counts", "units", "as_of")})


@blueprint.get("/problems/new")
def new() -> tuple[str, int]:
    """Show the form for a new problem."""
    return _form({"compound_id": params.text("compound") or ""})


def _form(values: dict[str, Any], message: str = "", status: int = 200) -> tuple[str, int]:
    context.scope().require_editor()
    view = context.view()
    lang = i18n.language()
    fields = forms.fields("problems", lang, personal=True, skip=(*problems.FORM_SKIPS, "status", "meeting_id"))
    options = problem_list.options(view, problem_list.table(view), lang)
    page = render_template("problems_new.html", fields=fields, options=options, values=values, message=message)
    return page, status


@blueprint.post("/problems")
@blueprint.post("/api/problems", endpoint="api_create")
def create() -> BaseResponse | tuple[str, int]:
    """Add a problem."""
    sent = params.body()
    values = typed(sent)
    try:
        ticket_id = problems.create(context.county(), context.scope(), values, lang=i18n.language())
    except MapappError as error:
        if errors.wants_json() or not context.scope().edits:
            raise
        return _form(values, error.message(i18n.language()), errors.status_of(error))
    if errors.wants_json():
        return make_response(jsonify({"ticket_id": ticket_id}), 201)
    flash(i18n.t("problems.added"), "success")
    return redirect(url_for("problems.one", ticket_id=ticket_id))


@blueprint.get("/problems/<path:ticket_id>")
def one(ticket_id: str) -> tuple[str, int]:
    """Show one problem: facts, form, photos, history."""
    return _page(ticket_id)


def _page(
    ticket_id: str, values: dict[str, Any] | None = None, error: MapappError | None = None, note: str = ""
) -> tuple[str, int]:
    lang = i18n.language()
    found = problems.one(context.view(), ticket_id, lang)
    page = render_template(
        "problem.html", found=found, problem=found["problem"], typed=values, note=note, stages=photos.STAGES,
        message=error.message(lang) if error else "", conflict=isinstance(error, ConflictError), most=photos.MOST,
        texts=i18n_problems.page_texts(lang), edits=context.scope().edits,
    )  # fmt: skip
    return page, errors.status_of(error) if error else 200


@blueprint.post("/problems/<path:ticket_id>")
@blueprint.post("/api/problems/<path:ticket_id>", endpoint="api_act")
def act(ticket_id: str) -> BaseResponse | tuple[str, int]:
    """Change a problem (``save``), take a change back (``undo``, ``undo_decision`` of its finding), add photos (``photo``), or remove it (``remove``)."""
    county, scope, lang = context.county(), context.scope(), i18n.language()
    sent = params.body()
    action = params.string(sent, "action", "save", longest=20)
    values = typed(sent)
    done: dict[str, Any] = {"ticket_id": ticket_id}
    try:
        if action == "save":
            note = params.string(sent, "note", longest=1000)
            done = problems.edit(county, scope, ticket_id, values, expected=version(sent), note=note, lang=lang)
            said = "problems.closed_too" if "finding_id" in done else "problems.saved"
        elif action == "undo":
            problems.undo(county, scope, ticket_id, _edit_id(sent))
            said = "problems.undone"
        elif action == "undo_decision":
            seen = params.string(sent, "decided_at", longest=40)
            problems.undo_decision(county, scope, ticket_id, expected=seen or None)
            said = "problems.undone"
        elif action == "photo":
            done["photos"] = _keep_photos(ticket_id)
            said = "problems.photo_kept"
        elif action == "remove":
            problems.remove(county, scope, ticket_id, expected=version(sent))
            said = "problems.removed"
        else:
            raise InputError(Text(f"不能“{action}”。", f"There is nothing called {action!r}."), where="action")
    except MapappError as error:
        if errors.wants_json() or errors.status_of(error) in (403, 404):
            raise
        if action == "undo" and not _is_there(ticket_id):
            raise
        note = params.string(sent, "note", longest=1000) if action == "save" else ""
        return _page(ticket_id, values if action == "save" else None, error, note)
    if errors.wants_json():
        return jsonify(done)
    flash(i18n.t(said), "success")
    there = action != "remove" and (action != "undo" or _is_there(ticket_id))
    return redirect(url_for("problems.one", ticket_id=ticket_id) if there else url_for("problems.listed"))


def _edit_id(sent: dict[str, Any]) -> int:
    raw = params.string(sent, "edit_id", longest=12)
    if not raw.isdigit():
        raise InputError(Text("没有指明撤销哪次修改。", "It is not said which change to undo."), where="edit_id")
    return int(raw)


def _is_there(ticket_id: str) -> bool:
    return bool(len(context.db().read("problems", ids=[ticket_id], columns=["ticket_id"])))


def _keep_photos(ticket_id: str) -> list[dict[str, Any]]:
    county, scope = context.county(), context.scope()
    files = [file for file in request.files.getlist("photos") if file.filename]
    if not files:
        raise InputError(Text("没有选择照片。", "No photo was chosen."), where="photos")
    problems.require_own(county, scope, ticket_id)
    stage, caption = request.form.get("stage", "site"), request.form.get("caption", "")
    given = [(file.filename or "", file.stream) for file in files]
    return photos.add_all(county, scope, "problems", ticket_id, given, stage=stage, caption=caption)


@blueprint.post("/api/findings/<path:finding_id>/problem")
def from_finding(finding_id: str) -> Response:
    """Make a finding a problem; asked again it is the same one."""
    ticket_id, made = problems.from_finding(context.county(), context.scope(), finding_id)
    body = problems.of_finding(context.view(), finding_id, i18n.language())
    told = {"ticket_id": ticket_id, "made": made, "decided_at": problems.decided_at(context.view(), finding_id)}
    return make_response(jsonify({**(body or {}), **told}), 201 if made else 200)


@blueprint.get("/api/findings/<path:finding_id>/decisions")
def decisions(finding_id: str) -> Response:
    """Tell what was decided about a finding, newest first."""
    return jsonify({"rows": deciding.history(context.county(), context.scope(), finding_id)})


@blueprint.post("/api/findings/<path:finding_id>/undo")
def undo_decision(finding_id: str) -> Response:
    """Take the newest decision about a finding back; ``expected`` is the ``decided_at`` that was seen."""
    seen = params.string(params.body(), "expected", longest=40)
    return jsonify(deciding.undo(context.county(), context.scope(), finding_id, expected=seen or None))


@blueprint.get("/api/findings/<path:finding_id>/problem")
def of_finding(finding_id: str) -> Response:
    """Tell which problem a finding became; ``ticket_id`` is null when it became none."""
    found = problems.of_finding(context.view(), finding_id, i18n.language())
    return jsonify({**(found or {"ticket_id": None}), "decided_at": problems.decided_at(context.view(), finding_id)})
