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
from mapapp.render import files
from mapapp.services import auditing, plan_bill, plan_books, plan_state

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
    """

    standard: str = "gb50014-2021"
    prices: str = "example"
    budget: float | None = None
    pinned: frozenset[str] = field(default_factory=frozenset)
    forbidden: frozenset[str] = field(default_factory=frozenset)

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "standards": self.standard,
            "prices": self.prices,
            "budget": self.budget,
            "pinned": sorted(self.pinned),
            "forbidden": sorted(self.forbidden),
        }


def layers_of(db: store.Database) -> dict[str, pd.DataFrame]:
    """Read what audit and plan need."""
    layers = auditing.layers_of(db)
    if "waters" in db.layers():
        layers["waters"] = db.read("waters")
    return layers


def compute(
    layers: dict[str, pd.DataFrame],
    *,
    standard: str | Standard = "gb50014-2021",
    prices: str | Prices = "example",
    budget: float | None = None,
    seed: int = 0,
    pinned: frozenset[str] = frozenset(),
    forbidden: Collection[str] = (),
    progress: Progress = silent,
    cancelled: Callable[[], bool] | None = None,
) -> Plan:
    """Audit the layers as they are now and plan a link for every unserved compound; nothing is stored.

    A forbidden street is taken out of the streets before corridors are laid, so no pipe follows it; the plan's assumptions
    say which.
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
    made = plan.run(
        given,
        found.verdicts,
        found.served,
        standard=standard,
        prices=prices,
        budget=budget,
        seed=seed,
        pinned=pinned,
        progress=part(progress, 0.3, 0.9),
        cancelled=cancelled,
    )
    if closed:
        made.assumptions.append(
            Text("不得沿以下道路敷设：{zh}。", "No pipe may follow these streets: {en}.").format(
                zh="、".join(closed), en=", ".join(closed)
            )
        )
    return made


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


def engine_check(links: pd.DataFrame, standard: Standard) -> dict[str, Any]:
    """Have SWMM run the gravity links; return ``ran`` and what it found, or the reason why it did not run.

    Returns
    -------
    dict
        ``ran`` false with ``zh en``; or true with ``links flooding overfull too_fast`` (counts) and ``agrees``.
    """
    if len(links) > CHECKED_LINKS:
        why = Text(
            f"管段超过 {CHECKED_LINKS} 条，未自动校核；请导出 .inp 用 SWMM 计算。",
            f"More than {CHECKED_LINKS} pipes: not checked automatically; export the .inp and run SWMM.",
        )
        return {"ran": False, **why._asdict()}
    try:
        with _one_engine:
            found = swmm.check(links, standard)
    except MapappError as error:
        return {"ran": False, "zh": error.message("zh"), "en": error.message("en")}
    counts = {
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
    out : Path, optional
        Also write the links there, in the format of the extension; ``.xlsx`` is the bill of quantities.
    swmm_out : Path, optional
        Also write an EPA SWMM input file there.

    Raises
    ------
    InputError
        When there are no compounds, or a standard, price book or budget cannot be used; nothing is stored then.
    """
    choices = Choices(standard, prices, budget, pinned, forbidden)
    with store.open(url) as db:
        progress(0.0, Text("读取图层", "reading layers"))
        rules, book = _standard(db, standard), _prices(db, prices)
        inputs, layers = plan_state.versions(db), layers_of(db)
        made = compute(
            layers, standard=rules, prices=book, budget=budget, pinned=pinned, forbidden=forbidden, progress=progress
        )
        text = swmm.to_inp(made.links, rules) if swmm_out is not None else ""
        check = engine_check(made.links, rules) if len(made.links) else {"ran": False, "zh": "", "en": ""}
        progress(0.9, Text("写入结果", "storing the results"))
        plan_state.keep(db, made, by=by, inputs=inputs, asked=asked(db, choices), check=check)
        if out is not None and out.suffix.lower() == ".xlsx":
            plan_bill.write(db.name, made.links, plan_state.load(db) or {}, out, "zh")
        elif out is not None:
            files.write(db.read("links"), schema.layer("links"), out)
        if swmm_out is not None:
            _write_text(swmm_out, text)
    return made, check


def _is_file(name: str) -> bool:
    return bool(Path(name).suffix) or Path(name).is_file()


def _standard(db: store.Database, name: str) -> Standard:
    return plan.load_standard(name) if _is_file(name) else load_books(db, Choices(standard=name))[0]


def _prices(db: store.Database, name: str) -> Prices:
    return plan.load_prices(name) if _is_file(name) else load_books(db, Choices(prices=name))[1]


def _write_text(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            Text(f"无法写入：{error.strerror or error}。", f"Cannot write there: {error.strerror or error}."),
            Text("请检查文件夹是否存在、可写。", "Check that the folder exists and can be written to."),
            where=path.name,
        ) from error


def summary(made: Plan, check: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of a plan, its refusals, stages, assumptions and check as one JSON object."""
    return {
        **made.summary,
        "refusals": made.refused.astype("object").where(made.refused.notna(), None).to_dict("records"),
        "curve": made.stages.astype("object").where(made.stages.notna(), None).to_dict("records"),
        "assumptions": [{"zh": text.zh, "en": text.en} for text in made.assumptions],
        "swmm": check,
    }


def check_words(check: dict[str, Any]) -> Text:
    """Return what SWMM said, as a sentence."""
    if not check.get("ran"):
        why = Text(check.get("zh", ""), check.get("en", ""))
        return Text("未用 SWMM 校核。{why}", "Not checked with SWMM. {why}").format(why=why)
    if check["agrees"]:
        return Text(
            "SWMM 动力波校核：{links} 条自流管段无溢流，充满度与流速均在标准内。",
            "SWMM (dynamic wave) agrees: no flooding in {links} gravity pipes, fills and velocities within the standard.",
        ).format(links=check["links"])
    return Text(
        "SWMM 校核不一致：溢流 {flooding} 处，充满度超限 {overfull} 条，流速超限 {too_fast} 条（共 {links} 条）。",
        "SWMM disagrees: {flooding} places flood, {overfull} pipes too full, {too_fast} too fast (of {links}).",
    ).format(**{k: check[k] for k in ("flooding", "overfull", "too_fast", "links")})


def describe(made: Plan, check: dict[str, Any], lang: Lang) -> str:
    """Return the same for a person to read."""
    words = Text(
        "{unserved} 个未接入小区：拟接入 {linked} 个，不能接入 {refused} 个。管线 {length_m:.0f} m，泵站 {pumps} 座。\n"
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
    for row in made.refused.to_dict("records"):
        lines.append(f"! {row['compound_id']}: {row[lang]}")
    return "\n".join(lines)
