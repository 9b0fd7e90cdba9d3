"""This module serves the plan page: the last plan, planning anew, stages for a budget, one link, its papers, its project."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template, request
from werkzeug.datastructures import FileStorage

from mapapp.core.errors import InputError, NotFoundError
from mapapp.core.text import Text
from mapapp.services import (
    mapframe,
    plan_books,
    plan_check,
    plan_drawings,
    plan_jobs,
    plan_link,
    plan_page,
    plan_project,
    plan_stages,
    plan_state,
    planning,
)
from mapapp.services.download import File
from mapapp.web import basemap, context, i18n, i18n_plan, pages, params, security, sending

blueprint = Blueprint("planning", __name__)


def _budget(raw: str) -> float | None:
    """Read a sum in yuan; blank is none."""
    if not raw.strip():
        return None
    try:
        value = float(raw.replace(",", ""))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(Text(f"预算“{raw[:40]}”不是数。", f"The budget {raw[:40]!r} is no number."), where="budget")
    return value


def _choices(sent: Mapping[str, Any]) -> planning.Choices:
    usual = planning.Choices()
    return planning.Choices(
        standard=params.string(sent, "standard", usual.standard, longest=60),
        prices=params.string(sent, "prices", usual.prices, longest=60),
        budget=plan_stages.checked_budget(_budget(params.string(sent, "budget", longest=40))),
        pinned=frozenset(params.strings(sent, "pinned")),
        forbidden=frozenset(params.strings(sent, "forbidden")),
        areas=plan_drawings.areas_of(sent.get("areas")),
        drawn=plan_drawings.links_of(sent.get("drawn")),
        footways=params.flag(sent, "footways"),
    )


def _sent_file() -> FileStorage:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InputError(Text("没有选择文件。", "No file was chosen."), where="file")
    return file


def _kind(word: str) -> plan_books.Kind:
    for kind in plan_books.KINDS:
        if kind == word:
            return kind
    raise NotFoundError(Text(f"没有“{word}”。", f"There is no {word!r}."))


@blueprint.get("/plan")
def page() -> str:
    """Show the map of planned links beside their figures."""
    view, lang = context.view(), i18n.language()
    config = pages.map_config(mode="user", base="")
    parts = mapframe.parts(
        view, lang, base="", basemap=config["basemap"], attribution=basemap.attribution(context.settings()),
        nonce=security.nonce(),
    )  # fmt: skip
    return render_template(
        "plan.html", parts=parts, config=config | {"map": parts.name}, plan_texts=i18n_plan.page_texts(lang)
    )


@blueprint.get("/api/plan")
def overview() -> Response:
    """Give the last plan: figures, links by route, stages, refusals, assumptions, choices, and what is on offer."""
    return jsonify(plan_page.overview(context.view(), i18n.language()))


@blueprint.post("/api/plan")
def start() -> Response:
    """Plan anew in the background; the answer names the job."""
    context.scope().require_editor()  # before anything of the request is read
    job = plan_jobs.start(context.county(), context.scope(), _choices(params.body()))
    return make_response(jsonify(plan_jobs.told(context.county(), job, i18n.language())), 202)


@blueprint.post("/api/plan/drawn")
def drawn() -> Response:
    """Check links drawn by hand: levels, sizes, cost and faults; nothing is kept."""
    context.scope().require_editor()
    return jsonify(plan_check.check(context.county(), context.scope(), _choices(params.body()), i18n.language()))


@blueprint.post("/api/plan/ground")
def ground() -> Response:
    """Keep an uploaded ground model (multipart, field ``file``) for all plans to come."""
    context.scope().require_editor()
    file, county = _sent_file(), context.county()
    name = plan_drawings.keep_dem(
        county.db, county.url, context.scope(), file.filename or "", file.stream, at=plan_state.now()
    )
    return make_response(jsonify({"name": name}), 201)


@blueprint.post("/api/plan/ground/remove")
def no_ground() -> Response:
    """Take the ground model away."""
    params.body()
    plan_drawings.drop_dem(context.county().db, context.county().url, context.scope())
    return jsonify({"name": None})


@blueprint.get("/api/plan/jobs/<int:job_id>")
def job(job_id: int) -> Response:
    """Tell how far planning is."""
    return jsonify(plan_jobs.told(context.county(), job_id, i18n.language()))


@blueprint.post("/api/plan/jobs/<int:job_id>/cancel")
def cancel(job_id: int) -> Response:
    """Ask planning to stop; the last plan stands."""
    plan_jobs.cancel(context.county(), context.scope(), job_id)
    return jsonify(plan_jobs.told(context.county(), job_id, i18n.language()))


@blueprint.get("/api/plan/stages")
def stages() -> Response:
    """Tell what a budget per stage builds first, from the layout as it is."""
    pinned = frozenset(params.names("pinned") or ())
    return jsonify(plan_stages.stages(context.view(), _budget(params.text("budget") or ""), pinned))


@blueprint.post("/api/plan/stages")
def keep_stages() -> Response:
    """Keep the stages of a budget with the plan."""
    context.scope().require_editor()
    sent = params.body()
    budget, pinned = _budget(params.string(sent, "budget", longest=40)), params.strings(sent, "pinned")
    return jsonify(plan_stages.keep_stages(context.county(), context.scope(), budget, pinned))


@blueprint.get("/api/plan/links/<path:link_id>")
def link(link_id: str) -> Response:
    """Give one link: figures, long section, bill, and what it needs below it."""
    return jsonify(plan_link.link(context.view(), link_id, i18n.language()))


@blueprint.post("/api/plan/links/<path:link_id>/project")
def project(link_id: str) -> Response:
    """Make a project of a link; asked again it is the same one."""
    params.body()
    made = plan_project.make_project(context.county(), context.scope(), link_id, i18n.language())
    return make_response(jsonify(made), 201 if made["made"] else 200)


@blueprint.post("/api/plan/projects/<path:project_id>/undo")
def take_back(project_id: str) -> Response:
    """Take the making of a project back."""
    context.scope().require_editor()
    raw = params.string(params.body(), "edit_id", longest=12)
    if not raw.isdigit():
        raise InputError(Text("没有指明撤销哪次修改。", "It is not said which change to undo."), where="edit_id")
    plan_project.take_back_project(context.county(), context.scope(), project_id, int(raw))
    return jsonify({"project_id": project_id})


@blueprint.post("/api/plan/books/<kind>")
def upload(kind: str) -> Response:
    """Keep an uploaded standard or price book (multipart, field ``file``) after checking it."""
    context.scope().require_editor()
    file = _sent_file()
    name = plan_books.keep(
        context.db(), context.scope(), _kind(kind), file.filename or "", file.stream.read(300_000), at=plan_state.now()
    )
    listed = plan_books.listed(context.db(), _kind(kind), i18n.language())
    return make_response(jsonify({"name": name, "books": listed}), 201)


@blueprint.get("/plan/books/<kind>/<name>.toml")
def book(kind: str, name: str) -> Response:
    """Give a standard or price book as the file it is, to change and upload."""
    text = plan_books.text_of(context.db(), _kind(kind), name)
    return sending.file(File(f"{name}.toml", text.encode()))


@blueprint.get("/plan/section/<link_id>.<any(svg,pdf,png):kind>")
def section(link_id: str, kind: Any) -> Response:
    """Give the long section of a link as a drawing."""
    return sending.file(plan_link.section_file(context.view(), link_id, kind, i18n.language()))


@blueprint.get("/plan/bill.xlsx")
def bill() -> Response:
    """Give the bill of quantities of the plan, or of one link (``?link=``)."""
    return sending.file(plan_link.bill_file(context.view(), params.text("link"), i18n.language()))


@blueprint.get("/plan/plan.inp")
def swmm() -> Response:
    """Give the plan as an EPA SWMM input file."""
    return sending.file(plan_link.swmm_file(context.view()))
