"""This module plans the missing links of a county and stores them beside its findings."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pandas as pd

from mapapp import audit, plan, store
from mapapp.core import schema
from mapapp.core.errors import InputError, MapappError
from mapapp.core.progress import Progress, part, silent
from mapapp.core.text import Lang, Text
from mapapp.plan import Plan, Prices, Standard, swmm
from mapapp.plan.existing import Existing
from mapapp.plan.targets import connected
from mapapp.render import files
from mapapp.services import auditing, plan_bill, plan_books, plan_drawings, plan_state
from mapapp.services.plan_drawings import Points

CHECKED_LINKS: Final = 3000
"""Up to so many pipes SWMM checks a plan as it is made; a larger one is checked in SWMM itself, from the exported file."""

_one_engine = threading.Lock()  # SWMM's library holds one model per process


@dataclass(frozen=True, slots=True)
class Choices:
    """What a planner decides before a plan is made.

    Attributes
    ----------
    standard, prices : str
        Name of a shipped or uploaded file; on the command line also a path.
    budget : float, optional
        Yuan per stage.
    pinned : frozenset of str
        Compounds that must be in the first stage.
    forbidden : frozenset of str
        Ids of streets that no pipe may follow.
    areas : tuple of rings
        Ground that no link may touch, longitude and latitude.
    drawn : tuple of (compound, line)
        Links drawn by hand, longitude and latitude; the compound may be empty.
    footways : bool
        Pipes lie in the footways instead of under the carriageway.
    """

    standard: str = "gb50014-2021"
    prices: str = "example"
    budget: float | None = None
    pinned: frozenset[str] = field(default_factory=frozenset)
    forbidden: frozenset[str] = field(default_factory=frozenset)
    areas: tuple[Points, ...] = ()
    drawn: tuple[tuple[str, Points], ...] = ()
    footways: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "standards": self.standard,
            "prices": self.prices,
            "budget": self.budget,
            "pinned": sorted(self.pinned),
            "forbidden": sorted(self.forbidden),
            "areas": [[list(p) for p in ring] for ring in self.areas],
            "drawn": [{"compound_id": name, "line": [list(p) for p in line]} for name, line in self.drawn],
            "footways": self.footways,
        }


def layers_of(db: store.Database) -> dict[str, pd.DataFrame]:
    """Read what audit and plan need."""
    there = db.layers()
    return auditing.layers_of(db) | {n: db.read(n) for n in ("waters", "railways", "spot_heights") if n in there}


def compute(
    layers: dict[str, pd.DataFrame],
    *,
    standard: str | Standard = "gb50014-2021",
    prices: str | Prices = "example",
    budget: float | None = None,
    seed: int = 0,
    pinned: frozenset[str] = frozenset(),
    forbidden: Collection[str] = (),
    areas: Any = None,
    by_hand: Any = None,
    only_drawn: bool = False,
    footways: bool = False,
    dem: Path | None = None,
    progress: Progress = silent,
    cancelled: Callable[[], bool] | None = None,
) -> Plan:
    """Audit the layers as they are now and plan a link for every unserved compound; nothing is stored.

    A forbidden street is taken out of the streets before corridors are laid, so no pipe follows it; the plan's assumptions
    say which. ``areas`` and ``by_hand`` are tables in the county's CRS; with ``only_drawn`` nothing but the drawn links is
    laid, to check them.
    """
    if not len(layers.get("compounds", ())):
        raise InputError(
            Text("县库里还没有小区。", "The county holds no compounds yet."),
            Text("请先导入小区。", "Import compounds first."),
        )
    found = audit.run(layers, progress=part(progress, 0.0, 0.3))
    given = dict(layers)
    if "waters" in given:
        given["water"] = given.pop("waters")
    closed: list[str] = []
    if forbidden and "streets" in given:
        hit = given["streets"]["street_id"].isin(list(forbidden))
        closed = sorted(given["streets"].loc[hit, "street_id"].astype(str))
        given["streets"] = given["streets"][~hit].reset_index(drop=True)
    options: dict[str, Any] = {"by_hand": by_hand}
    made = (plan.check_drawn if only_drawn else plan.run)(
        given,
        found.verdicts,
        found.served,
        **options,
        standard=standard,
        prices=prices,
        budget=budget,
        seed=seed,
        pinned=pinned,
        forbidden=areas,
        footways=footways,
        dem=dem,
        progress=part(progress, 0.3, 0.9),
        cancelled=cancelled,
    )
    if dem is not None:
        made.assumptions.append(
            Text(
                "地面形状取自地面模型，检查井标高校正。",
                "The ground's shape is the ground model's, set right by manhole covers.",
            )
        )
    if closed:
        made.assumptions.append(
            Text("不得沿以下道路敷设：{zh}。", "No pipe may follow these streets: {en}.").format(
                zh="、".join(closed), en=", ".join(closed)
            )
        )
    if areas is not None and len(areas):
        made.assumptions.append(
            Text("管线不得经过划定的 {n} 处区域。", "No link may touch the {n} areas drawn.").format(n=len(areas))
        )
    return made


def network(db: store.Database, standard: Standard) -> Existing:
    """Return the served sewers of the county as a plan reads them now, for the model of another engine."""
    layers = layers_of(db)
    found = audit.run(layers)
    here = connected(layers.get("compounds"), found.verdicts)
    return Existing.of(layers, found.served, standard, here)


def load_books(db: store.Database, choices: Choices) -> tuple[Standard, Prices]:
    """Return standard and price book by name: uploaded ones first, then shipped ones.

    Raises
    ------
    InputError
        When one does not exist.
    """
    standard = plan_books.get(db, "standards", choices.standard)
    prices = plan_books.get(db, "prices", choices.prices)
    assert isinstance(standard, Standard)
    assert isinstance(prices, Prices)
    return standard, prices


def asked(db: store.Database, choices: Choices) -> dict[str, Any]:
    """Return the choices with the fingerprints of their books, as they are kept beside a plan."""
    prints = {}
    for kind, name in (("standards", choices.standard), ("prices", choices.prices)):
        try:
            prints[f"{kind}_print"] = plan_books.fingerprint(db, kind, name)  # type: ignore[arg-type]  # the two kinds
        except InputError:  # a path of the command line
            prints[f"{kind}_print"] = ""
    return {**choices.as_json(), **prints}


def engine_check(links: pd.DataFrame, standard: Standard, existing: Existing | None = None) -> dict[str, Any]:
    """Have SWMM run the gravity links and the existing sewers below them; return ``ran`` and what it found, or why it did not.

    Returns
    -------
    dict
        ``ran`` false with ``zh en`` (empty for no links); or true with ``links flooding overfull too_fast`` (counts of planned pipes), ``agrees``,
        and ``existing existing_flooding existing_overfull`` of the sewers below.
    """
    if not len(links):
        return {"ran": False, "zh": "", "en": ""}
    if len(links) > CHECKED_LINKS:
        why = Text(
            f"管段超过 {CHECKED_LINKS} 条，未自动校核；请导出 .inp 用 SWMM 计算。",
            f"More than {CHECKED_LINKS} pipes: not checked automatically; export the .inp and run SWMM.",
        )
        return {"ran": False, **why._asdict()}
    try:
        with _one_engine:
            every = swmm.check(links, standard, existing=existing)
    except MapappError as error:
        return {"ran": False, "zh": error.message("zh"), "en": error.message("en")}
    found, old = every[every["new"]], every[~every["new"]]
    counts = {
        "existing": len(old),
        "existing_flooding": int((old["flooding_lps"] > 1e-6).sum()),
        "existing_overfull": int((~old["fill_ok"].astype(bool)).sum()),
        "links": len(found),
        "flooding": int((found["flooding_lps"] > 1e-6).sum()),
        "overfull": int((~found["fill_ok"].astype(bool)).sum()),
        "too_fast": int((~found["velocity_ok"].astype(bool)).sum()),
    }
    return {"ran": True, **counts, "agrees": not (counts["flooding"] or counts["overfull"] or counts["too_fast"])}


def run(
    url: str,
    *,
    by: str,
    standard: str = "gb50014-2021",
    prices: str = "example",
    budget: float | None = None,
    pinned: frozenset[str] = frozenset(),
    forbidden: frozenset[str] = frozenset(),
    forbidden_areas: Path | None = None,
    drawn: Path | None = None,
    footways: bool = False,
    dem: Path | None = None,
    out: Path | None = None,
    swmm_out: Path | None = None,
    progress: Progress = silent,
) -> tuple[Plan, dict[str, Any]]:
    """Plan the county's links, have SWMM check them, and store both.

    Parameters
    ----------
    url : str
        The county database.
    by : str
        Who runs it, for the history.
    standard, prices : str
        Name of a shipped or uploaded file, or path of one's own.
    budget : float, optional
        Yuan per stage.
    pinned, forbidden : set of str
        Compounds of the first stage; streets that no pipe may follow.
    forbidden_areas, drawn : Path, optional
        File of areas that no link may touch; file of links drawn by hand.
    footways : bool
        Lay in the footways.
    dem : Path, optional
        Ground model, GeoTIFF; by default the one that was uploaded for the county.
    out : Path, optional
        Also write the links there, in the format of the extension; ``.xlsx`` is the bill of quantities.
    swmm_out : Path, optional
        Also write an EPA SWMM input file there.

    Raises
    ------
    InputError
        When there are no compounds, a standard, price book or budget cannot be used, or a pinned compound or forbidden
        street does not exist; nothing is stored then.
    """
    with store.open(url) as db:
        choices = Choices(
            standard, prices, budget, pinned, forbidden,
            plan_drawings.read_areas(forbidden_areas, db.crs) if forbidden_areas is not None else (),
            plan_drawings.read_lines(drawn, db.crs) if drawn is not None else (), footways,
        )  # fmt: skip
        kept_dem = plan_drawings.dem(db, url)
        progress(0.0, Text("读取图层", "reading layers"))
        rules, book = _standard(db, standard), _prices(db, prices)
        inputs, layers = plan_state.versions(db), layers_of(db)
        _named(layers.get("compounds"), "compound_id", pinned, Text("小区", "compound"), "--pin")
        _named(layers.get("streets"), "street_id", forbidden, Text("道路", "street"), "--forbid")
        made = compute(
            layers, standard=rules, prices=book, budget=budget, pinned=pinned, forbidden=forbidden, progress=progress,
            areas=plan_drawings.grounds(choices.areas, db.crs), by_hand=plan_drawings.lines(choices.drawn, db.crs),
            footways=footways, dem=dem or (kept_dem[1] if kept_dem else None),
        )  # fmt: skip
        text = swmm.to_inp(made.links, rules, existing=made.existing) if swmm_out is not None else ""
        check = engine_check(made.links, rules, made.existing)
        progress(0.9, Text("写入结果", "storing the results"))
        plan_state.keep(db, made, by=by, inputs=inputs, asked=asked(db, choices), check=check)
        if out is not None and out.suffix.lower() == ".xlsx":
            plan_bill.write(db.name, made.links, plan_state.load(db) or {}, out, "zh")
        elif out is not None:
            files.write(db.read("links"), schema.layer("links"), out)
        if swmm_out is not None:
            with files.whole(swmm_out) as beside:
                beside.write_text(text, encoding="utf-8")
    return made, check


def _named(frame: pd.DataFrame | None, key: str, ids: frozenset[str], what: Text, where: str) -> None:
    """Refuse ids that no row has: a slip of the pen would otherwise change nothing, and nobody would know."""
    there = set(frame[key].astype(str)) if frame is not None and key in frame else set()
    if unknown := sorted(ids - there):
        raise InputError(
            Text("没有编号为“{id}”的{zh}。", "There is no {en} {id!r}.").format(id=unknown[0], zh=what.zh, en=what.en),
            Text("请核对编号。", "Check the id."),
            where=where,
        )


def _is_file(name: str) -> bool:
    return bool(Path(name).suffix) or Path(name).is_file()


def _standard(db: store.Database, name: str) -> Standard:
    return plan.load_standard(name) if _is_file(name) else load_books(db, Choices(standard=name))[0]


def _prices(db: store.Database, name: str) -> Prices:
    return plan.load_prices(name) if _is_file(name) else load_books(db, Choices(prices=name))[1]


def summary(made: Plan, check: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of a plan, its refusals, stages, assumptions and check as one JSON object."""
    return {
        **made.summary,
        "refusals": made.refused.astype("object").where(made.refused.notna(), None).to_dict("records"),
        "curve": made.stages.astype("object").where(made.stages.notna(), None).to_dict("records"),
        "assumptions": [{"zh": text.zh, "en": text.en} for text in made.assumptions],
        "remarks": made.remarks.to_dict("records"),
        "swmm": check,
    }


def check_words(check: dict[str, Any]) -> Text:
    """Return what SWMM said, as a sentence."""
    if not check.get("ran"):
        why = Text(check.get("zh", ""), check.get("en", ""))
        return Text("未用 SWMM 校核。{why}", "Not checked with SWMM. {why}").format(why=why)
    if check["agrees"]:
        agrees = Text(
            "SWMM 动力波校核：{links} 条自流管段无溢流，充满度与流速均在标准内。",
            "SWMM (dynamic wave) agrees: no flooding in {links} gravity pipes, fills and velocities within the standard.",
        ).format(links=check["links"])
        if not check.get("existing"):
            return agrees
        old = Text(
            "模型含下游现状管 {n} 条：溢流 {f} 处，超设计充满度 {o} 条。",
            " With {n} existing pipes below: {f} flood, {o} above the standard's fill.",
        ).format(n=check["existing"], f=check.get("existing_flooding", 0), o=check.get("existing_overfull", 0))
        return Text(agrees.zh + old.zh, agrees.en + old.en)
    return Text(
        "SWMM 校核不一致：溢流 {flooding} 处，充满度超限 {overfull} 条，流速超限 {too_fast} 条（共 {links} 条）。",
        "SWMM disagrees: {flooding} places flood, {overfull} pipes too full, {too_fast} too fast (of {links}).",
    ).format(**{k: check[k] for k in ("flooding", "overfull", "too_fast", "links")})


def describe(made: Plan, check: dict[str, Any], lang: Lang) -> str:
    """Return the same for a person to read."""
    words = Text(
        "{unserved} 个未接入小区：拟接入 {linked} 个，不能接入 {refused} 个。管线 {length_m:.0f} 米，泵站 {pumps} 座。\n"
        "估算 {cost:.0f} 元（{cost_low:.0f}～{cost_high:.0f}）；下界 {lower_bound:.0f} 元，{gap}。\n{check}",
        "{unserved} unserved compounds: {linked} linked, {refused} refused. {length_m:.0f} m of pipe, {pumps} pumps.\n"
        "Estimate {cost:.0f} yuan ({cost_low:.0f} to {cost_high:.0f}); lower bound {lower_bound:.0f}, {gap}.\n{check}",
    )
    gap = made.summary["gap_pct"]
    told = (
        Text("没有可证明的差距", "with no certified gap")
        if gap is None
        else Text(f"最多高出最优 {gap:.1f} %", f"at most {gap:.1f} % above the best possible")
    )
    filled = words.format(**made.summary | {"gap": told, "check": check_words(check)})
    lines = [filled.pick(lang), "", Text("假设", "Assumptions").pick(lang)]
    lines += [f"- {text.pick(lang)}" for text in made.assumptions]
    for row in [*made.refused.to_dict("records"), *made.remarks.to_dict("records")]:
        lines.append(f"! {row['compound_id']}: {row[lang]}" if row["compound_id"] else f"! {row[lang]}")
    return "\n".join(lines)
