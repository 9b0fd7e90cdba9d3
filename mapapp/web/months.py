"""This module serves the planner's month: ledger in, differences, checks, snapshot, comparison, forms."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from mapapp.core.errors import MapappError, QuestionError
from mapapp.services import comparing, months, returns, uploads
from mapapp.web import choosing, context, errors, i18n, numbers, pages, params, sending

blueprint = Blueprint("months", __name__)
_ANSWERS = ("as_of", "source_layer", "encoding", "blanks")


def _answers() -> dict[str, str]:
    sent = {name: value for name, value in request.form.items() if name in _ANSWERS}
    sent = {name: value.strip()[:200] for name, value in sent.items() if value.strip()}
    return sent | choosing.chosen()


def _page(status: int = 200, **more: Any) -> tuple[str, int]:
    lang = i18n.language()
    known = months.overview(context.county().at(context.scope()), lang)
    return render_template(
        "month.html", month=known, edits=context.scope().edits, forms=returns.listed(lang), form=request.form, **more
    ), status


@blueprint.get("/month")
def page() -> tuple[str, int]:
    """Show the month: what changed since the last snapshot, what does not add up, the snapshots and forms."""
    return _page()


@blueprint.post("/month")
def preview() -> tuple[str, int]:
    """Show what this month's ledger would change and what does not add up in it."""
    context.scope().require_editor()
    word = request.form.get("upload", "")
    try:
        given = ((file.filename or "", file.stream) for file in request.files.getlist("files"))
        word = word or uploads.keep(given, context.scope())
        found = months.preview(context.county(), context.scope(), word, _answers(), i18n.language())
    except QuestionError as error:
        return _page(
            422, upload=word, message=error.message(i18n.language()), asked=error.option, choices=error.choices,
            **choosing.asked(error.option, error.choices, "ledger", _answers()),
        )  # fmt: skip
    except MapappError as error:
        return _page(errors.status_of(error), message=error.message(i18n.language()))
    return _page(
        preview=found, upload=word, **choosing.offer(found["mapping"], found["unmapped"], "ledger", _answers())
    )


@blueprint.post("/month/<word>")
def confirm(word: str) -> BaseResponse | tuple[str, int]:
    """Store what was previewed, or discard it (``discard``)."""
    if "discard" in request.form:
        uploads.discard(context.scope(), word)
        return redirect(url_for("months.page"))
    try:
        done = months.apply(context.county(), context.scope(), word, i18n.language())
    except MapappError as error:
        return _page(errors.status_of(error), message=error.message(i18n.language()))
    flash(i18n.t("month.done", **{k: done[k] for k in ("file", "added", "changed", "unchanged")}), "success")
    return redirect(url_for("months.page"))


@blueprint.post("/month/freeze")
def freeze() -> BaseResponse | tuple[str, int]:
    """Freeze the county as of a date."""
    sent = params.body()
    try:
        made = months.freeze(
            context.county(), context.scope(), as_of=params.string(sent, "as_of"), title=params.string(sent, "title")
        )
    except MapappError as error:
        return _page(errors.status_of(error), message=error.message(i18n.language()))
    flash(i18n.t("month.frozen", date=made["as_of"]), "success")
    return redirect(url_for("months.page"))


@blueprint.get("/month/forms/<name>.xlsx")
def form(name: str) -> Response:
    """Give a filled form as a workbook."""
    made = returns.fill(context.view(), name, i18n.language())
    return sending.file(made)


@blueprint.get("/compare")
def compare() -> str:
    """Show what differs between two states, as a table and on the map."""
    found = comparing.compare(context.county(), context.scope(), params.text("a"), params.text("b"), i18n.language())
    about: dict[str, Any] = {"a": found["a"]["id"], "b": found["b"]["id"], "states": found["states"]}
    config = pages.map_config(mode="user", base="") | found["map"] | about
    return render_template("compare.html", found=found, config=config, number=numbers.number)
