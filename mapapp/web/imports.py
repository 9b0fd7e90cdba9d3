"""This module takes uploaded files: shows what storing them would change, then stores them on confirmation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from mapapp.core import schema
from mapapp.core.errors import MapappError, QuestionError
from mapapp.core.text import Text
from mapapp.services import months, uploads
from mapapp.web import choosing, context, errors, i18n, params

blueprint = Blueprint("imports", __name__)
_DOUBTS = {
    "similar_name": Text("只有名称相近的", "only a similar name is known"),
    "no_such_name": Text("没有这个名称", "no compound of that name"),
    "several_compounds_of_that_name": Text("有几个同名小区", "several compounds of that name"),
    "no_name": Text("没有写名称", "no name is given"),
}
"""Why a row's compound is in doubt, as `mapapp.ingest.names` says it."""
_ANSWERS = ("crs", "datum", "encoding", "mode", "source_layer")


def _answers() -> dict[str, str]:
    sent = {name: values for name, values in request.form.items() if name in _ANSWERS or name.startswith("column.")}
    return {name: value.strip()[:200] for name, value in {**sent, **choosing.chosen()}.items()}


def _columns(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page shows of a preview in a reader's words: columns to choose, changed cells, doubtful names."""
    layer, lang = str(found["layer"]), i18n.language()
    changed = pd.DataFrame(found["differences"]).rename(columns={"id": "compound_id"})
    doubts = [one | {"reason": _DOUBTS.get(str(one["reason"]), Text(str(one["reason"]), "")).pick(lang)}
              for one in found["doubtful"]]  # fmt: skip
    return choosing.offer(found["mapping"], found["unmapped"], request.form.get("layer", ""), _answers()) | {
        "changed": months.cells(changed, {}, lang, layer=layer),
        "doubts": doubts,
        "one_for_all": choosing.one_for_all(found["mapping"], layer),
        "labels": {c.name: c.label.pick(lang) for c in schema.layer(layer).columns},
    }


def _keep() -> str:
    word = request.form.get("upload", "") or uploads.keep(
        ((file.filename or "", file.stream) for file in request.files.getlist("files")), context.scope()
    )
    control = request.files.get("control")
    if control is not None and control.filename:
        uploads.keep_control(word, context.scope(), control.filename, control.stream)
    return word


def _page(status: int = 200, **more: Any) -> tuple[str, int]:
    context.scope().require_editor()
    titles = {name: schema.layer(name).title.pick(i18n.language()) for name in uploads.LAYERS}
    return render_template("import.html", layers=titles, form=request.form, **more), status


@blueprint.get("/import")
def page() -> tuple[str, int]:
    """Show the form."""
    return _page()


@blueprint.post("/import")
def preview() -> tuple[str, int]:
    """Show what the uploaded files would change."""
    context.scope().require_editor()
    word = ""
    try:
        word = _keep()
        found = uploads.preview(context.county(), context.scope(), word, request.form.get("layer", ""), _answers())
    except QuestionError as error:
        return _page(
            422, upload=word, message=error.message(i18n.language()), asked=error.option, choices=error.choices,
            **choosing.asked(error.option, error.choices, request.form.get("layer", ""), _answers()),
        )  # fmt: skip
    except MapappError as error:
        return _page(errors.status_of(error), upload=word, message=error.message(i18n.language()))
    return _page(preview=found, upload=word, **_columns(found))


@blueprint.post("/import/<word>")
def confirm(word: str) -> BaseResponse | tuple[str, int]:
    """Store what was previewed, or discard it (``discard``)."""
    if "discard" in request.form:
        uploads.discard(context.scope(), word)
        return redirect(url_for("imports.page"))
    try:
        done = uploads.apply(context.county(), context.scope(), word)
    except MapappError as error:
        return _page(errors.status_of(error), upload=word, message=error.message(i18n.language()))
    counts = " · ".join(f"{i18n.t('import.' + n)} {done[n]}" for n in ("added", "changed", "removed", "unchanged"))
    flash(f"{i18n.t('import.done')} {counts}", "success")
    return redirect(url_for("imports.page"))


@blueprint.post("/api/import/<layer>")
def api_preview(layer: str) -> Response:
    """Preview uploaded files (multipart, field ``files``); the answer's ``upload`` confirms it."""
    word = _keep()
    found = uploads.preview(context.county(), context.scope(), word, layer, _answers())
    return jsonify(found | {"title": found["title"].pick(i18n.language())})


@blueprint.post("/api/import/<layer>/<word>")
def api_apply(layer: str, word: str) -> Response:
    """Store what was previewed."""
    params.body()
    return jsonify(uploads.apply(context.county(), context.scope(), word))
