"""This module gives out paper: the progress report with its annex, map sheets, and the one page of a compound."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from mapapp.core.errors import InputError, MapappError
from mapapp.services import extents, onepage, reporting, sheets, snapshots
from mapapp.services.download import File
from mapapp.web import context, errors, i18n, params, security, sending

blueprint = Blueprint("papers", __name__)

_LIVE: Final = "live"


def _as_of() -> str | None:
    """Return the snapshot asked for: the newest without a word, None for the live data."""
    asked = params.text("as") or "newest"
    return None if asked == _LIVE else asked


@blueprint.get("/report")
def report() -> str | tuple[str, int]:
    """Show what the report would say, what is missing, and what can be taken away."""
    db = context.db()
    here = {
        "snapshots": snapshots.listed(db),
        "asked": params.text("as") or "",
        "scales": sheets.SCALES,
        "compounds": sheets.compounds(db),
        "compound": params.text("compound") or "",
        "bbox": params.text("bbox") or "",
        "shipped": "county.toml",
    }
    try:
        found = reporting.preview(db, i18n.language(), as_of=_as_of())
    except InputError as error:
        return render_template("report.html", report=None, message=error.message(i18n.language()), **here), 200
    return render_template("report.html", report=found, message="", **here)


@blueprint.get("/report/<any('report.docx','annex.xlsx'):name>")
def document(name: str) -> Response:
    """Give the report, or its annex."""
    make = reporting.document if name == "report.docx" else reporting.annex
    return sending.file(make(context.db(), as_of=_as_of()))


@blueprint.get("/report/template.toml")
def template() -> Response:
    """Give the words in use, to be changed and sent back."""
    text = reporting.template_text(context.db())
    return sending.file(File("report.toml", text.encode()))


@blueprint.post("/report/template")
def keep_template() -> BaseResponse:
    """Keep the county's own words, or go back to the shipped ones (``shipped``)."""
    try:
        if "shipped" in request.form:
            reporting.drop_template(context.db(), context.scope())
        else:
            sent = request.files.get("template")
            body = sent.read() if sent is not None else b""
            name = (sent.filename or "") if sent is not None else ""
            reporting.keep_template(context.db(), context.scope(), body, name=name)
        flash(i18n.t("report.template.kept"), "success")
    except MapappError as error:
        if errors.status_of(error) == 403:
            raise
        flash(error.message(i18n.language()), "error")
    return redirect(url_for("papers.report") + "#template")


@blueprint.get("/report/sheet.<any(pdf,png):kind>")
def sheet(kind: str) -> Response:
    """Give a map sheet of the county, a compound or a window."""
    scale = params.text("scale")
    made = sheets.drawn(
        context.county().url, kind, maker=params.text("maker", longest=40) or "", compound=params.text("compound"),
        bbox=extents.bbox(params.text("bbox") or None, where="bbox"), scale=extents.scale(scale, where="scale"), paper=params.text("paper") or "A3",
        snapshot=params.text("as") if params.text("as") != _LIVE else None, lang=i18n.language(),
    )  # fmt: skip
    return sending.file(made)


@blueprint.get("/compounds/<path:compound_id>")
def compound(compound_id: str) -> Response:
    """Show all there is about one compound, on one screen and one sheet of paper."""
    view = context.view()
    found = onepage.gather(view, compound_id, i18n.language())
    parts = onepage.map_parts(view, found, i18n.language(), nonce=security.nonce())
    config = {"api": "/api", "mode": "user", "lang": i18n.language(), "compound": compound_id}
    page = render_template("compound.html", page=found, parts=parts, config=config, compound_id=compound_id)
    return make_response(page)
