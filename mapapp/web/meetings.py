"""This module shows dispatch meetings full screen, notes what they decide, and gives agenda and minutes."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from mapapp.core.errors import ConflictError, MapappError
from mapapp.services import meetings
from mapapp.web import context, errors, i18n, i18n_problems, params, sending
from mapapp.web.problems import typed, version

blueprint = Blueprint("meetings", __name__)


def _page(status: int = 200, **more: Any) -> tuple[str, int]:
    found = meetings.listed(context.view())
    page = render_template(
        "meeting.html", meetings=found, today=date.today().isoformat(), edits=context.scope().edits, **more
    )
    return page, status


@blueprint.get("/meeting")
def listed() -> tuple[str, int]:
    """Show the meetings, and a form to start one."""
    return _page()


@blueprint.post("/meeting")
def start() -> BaseResponse | tuple[str, int]:
    """Start a meeting."""
    sent = params.body()
    try:
        meeting_id = meetings.start(context.county(), context.scope(), typed(sent), lang=i18n.language())
    except MapappError as error:
        if errors.wants_json() or not context.scope().edits:
            raise
        return _page(errors.status_of(error), message=error.message(i18n.language()), form=sent)
    if errors.wants_json():
        return jsonify({"meeting_id": meeting_id})
    return redirect(url_for("meetings.one", meeting_id=meeting_id))


@blueprint.get("/meeting/<meeting_id>")
def one(meeting_id: str) -> str:
    """Show a meeting, one problem at a time."""
    return _run(meeting_id)


def _run(meeting_id: str, **more: Any) -> str:
    unit, lang = params.text("unit") or "", i18n.language()
    found = meetings.one(context.view(), meeting_id, lang, unit=unit)
    config = {"api": "/api", "meeting": meeting_id}
    return render_template(
        "meeting_run.html", found=found, unit=unit, config=config, texts=i18n_problems.page_texts(lang), **more
    )


@blueprint.post("/meeting/<meeting_id>")
def remark(meeting_id: str) -> BaseResponse | tuple[str, int]:
    """Change date, title, chair or remarks of a meeting."""
    values = typed(params.body())
    try:
        meetings.remark(context.county(), context.scope(), meeting_id, values, lang=i18n.language())
    except ConflictError as error:
        if errors.wants_json():
            raise
        message = error.message(i18n.language())
        return _run(meeting_id, typed=values.get("remarks", ""), message=message), errors.status_of(error)
    if errors.wants_json():
        return jsonify({"meeting_id": meeting_id})
    flash(i18n.t("problems.saved"), "success")
    return redirect(url_for("meetings.listed"))


@blueprint.post("/api/meetings/<meeting_id>/decisions")
def decide(meeting_id: str) -> Response:
    """Note a decision: ``ticket_id decision`` and, where they change, ``status due lead_unit measure row_version``."""
    sent = params.body()
    done = meetings.decide(
        context.county(), context.scope(), meeting_id, params.string(sent, "ticket_id", longest=200),
        decision=params.string(sent, "decision", longest=4000), expected=version(sent), lang=i18n.language(),
        values=typed({n: sent[n] for n in ("status", "due", "lead_unit", "measure") if n in sent}),
    )  # fmt: skip
    return jsonify(done)


@blueprint.get("/meeting/<meeting_id>/<any(agenda,minutes):kind>.docx")
def paper(meeting_id: str, kind: str) -> Response:
    """Give the agenda or the minutes as a Word paper."""
    return sending.file(meetings.paper(context.view(), meeting_id, kind))
