"""This module plans the missing links of a county and stores them beside its findings."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from mapapp import audit, plan, store
from mapapp.core import schema
from mapapp.core.errors import InputError
from mapapp.core.progress import Progress, part, silent
from mapapp.core.text import Text
from mapapp.plan import Plan, Prices, Standard
from mapapp.plan.existing import Existing
from mapapp.plan.targets import connected
from mapapp.render import files
from mapapp.services import auditing, plan_bill, plan_books, plan_drawings, plan_engine, plan_state
from mapapp.services.plan_drawings import Points


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
    """Plan the county's links, have SWMM check them, and store both; return the plan and what the check said.

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
        Also write an EPA SWMM input file there; where there are no pipes or no levels to write, the check says so under
        ``no_file`` (zh, en).

    Raises
    ------
    InputError
        When there are no compounds, a standard, price book or budget cannot be used, or a pinned compound or forbidden
        street does not exist, or ``out`` has no extension that we write; nothing is stored then.
    """
    if out is not None:
        files.writer(out)
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
        check = plan_engine.check(made.links, rules, made.existing)
        progress(0.9, Text("写入结果", "storing the results"))
        plan_state.keep(db, made, by=by, inputs=inputs, asked=asked(db, choices), check=check)
        if out is not None and out.suffix.lower() == ".xlsx":
            plan_bill.write(db.name, made.links, plan_state.load(db) or {}, out, "zh")
        elif out is not None:
            files.write(db.read("links"), schema.layer("links"), out)
        why = plan_engine.write(swmm_out, made.links, rules, made.existing) if swmm_out is not None else None
    return made, check if why is None else {**check, "no_file": why._asdict()}


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
