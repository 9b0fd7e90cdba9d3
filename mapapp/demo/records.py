"""This module keeps the demo county's records: utility owners, opinions, design changes, inspections, works.

They follow from what the other tables say: a compound whose cables are still messy waits for a telecom company, one that
relapsed has a look back that failed, works are as far as the ledger's physical progress.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from mapapp import resources
from mapapp.demo.columns import typed
from mapapp.demo.programme import AS_OF

_DONE: Final = ("completed", "accepted", "handed_over", "managed")
_OWNERS: Final = (
    ("water", "自来水公司"), ("sewage", "县排水公司"), ("power", "供电公司"), ("telecom", "电信公司"), ("telecom", "移动公司"),
    ("telecom", "联通公司"), ("broadcasting", "广电公司"), ("gas", "燃气公司"), ("lighting", "县住建局市政所"),
)  # fmt: skip
_CABLES: Final = ("telecom", "broadcasting")
# what a renovation of this county holds, and how often; no elevators (no building has one), no heating (no heat works)
_WORKS: Final[Mapping[str, float]] = {
    "B01": 0.75, "B02": 0.9, "B03": 0.6, "B04": 0.7, "B05": 0.95, "B06": 0.6, "B08": 0.8, "B09": 0.75, "B10": 0.7,
    "B11": 0.3, "B12": 0.5, "B14": 0.8, "B15": 0.7, "B16": 0.85, "W02": 0.7, "W03": 0.85, "W04": 0.5, "W05": 0.6,
    "W06": 0.55, "W07": 0.2, "W08": 0.25, "W09": 0.4, "W10": 0.2, "W11": 0.25, "T01": 0.08, "T02": 0.05, "T04": 0.3,
    "T05": 0.06, "T07": 0.05, "T08": 0.1,
}  # fmt: skip
_INSPECTED: Final[Mapping[str, tuple[str, ...]]] = {
    "materials": ("管材无进场复试报告", "防水卷材合格证不全"),
    "quality": ("沟槽回填未分层夯实", "检查井流槽未做", "路面压实度不足"),
    "safety": ("基坑未设围挡", "脚手架连墙件缺失"),
    "site": ("渣土未覆盖", "材料堆放占道", "夜间施工扰民"),
}
_ASKED: Final = (
    ("suggest", "W05", "希望多划几个停车位", "已纳入设计，按消防通道要求划线", "adopted"),
    ("suggest", "W03", "单元门口路灯不亮", "随照明改造一并更换", "adopted"),
    ("ask", "B02", "下水道什么时候接到街上的主管", "待排水公司答复后公示", "answered"),
    ("ask", "B03", "一户一表要不要居民出钱", "表前部分由供电公司承担", "answered"),
    ("suggest", "W02", "保留院里两棵老树", "已调整管位避让", "adopted"),
    ("suggest", "W12", "能不能加装电梯", "楼栋间距不足，本次不实施", "declined"),
    ("ask", "B14", "顶楼漏雨今年修不修", "屋面防水已列入本年计划", "answered"),
)
_CHANGES: Final = (
    ("检查井移位避让老树", "site_condition", -0.6, 1.8),
    ("屋面卷材改为涂膜防水", "cost", -3.2, -0.8),
    ("雨水口加密", "site_condition", 0.8, 2.6),
    ("弱电管由两孔改为四孔", "utility", 1.2, 4.5),
    ("单元门由更换改为维修", "cost", -2.4, -0.5),
)
_FOUR: Final = "业主;设计;监理;施工"
PUMP: Final = "增设一体化污水提升泵"
PAVING: Final = "绿化改硬化停车位"


def _day(month: str | None, fallback: str, *, last: bool = False) -> pd.Timestamp:
    """Return the first or the last day of an ISO month."""
    start = pd.Timestamp(f"{month if isinstance(month, str) else fallback}-01")
    return start + pd.offsets.MonthEnd(0) if last else start


def _iso(moment: pd.Timestamp) -> str:
    return str(moment.date().isoformat())


def _after(start: pd.Timestamp, days: float) -> str | None:
    """Return the day so many days later; None when that is after the day the county tells of."""
    moment = start + pd.Timedelta(days=round(days))
    return _iso(moment) if _iso(moment) <= AS_OF else None


def _numbered(rows: list[dict[str, Any]], layer: str, key: str, letters: str, order: list[str]) -> pd.DataFrame:
    """Return the rows in the schema's columns, in the given order, with ids that count from 1."""
    frame = pd.DataFrame(rows).sort_values(order, kind="stable", ignore_index=True)
    frame[key] = [f"{letters}{k + 1:04d}" for k in range(len(frame))]
    return typed(frame, layer)


def _utilities(compounds: pd.DataFrame, problems: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return one row per compound and owner: asked before the start, answered or not, pipes handed over afterwards."""
    still = problems[~problems["status"].isin(["closed", "resolved"])]
    waiting = {
        (c, owner)
        for c, owners in zip(still["compound_id"], still["utility_owner"], strict=True)
        if isinstance(owners, str)
        for owner in owners.split(";")
    }
    out = []
    for c in compounds.to_dict("records"):
        start, done = _day(c["start_actual"], "2022-09"), c["status"] in _DONE
        asked = start - pd.Timedelta(days=int(rng.integers(40, 75)))
        for kind, owner in _OWNERS:
            row = {"compound_id": c["compound_id"], "owner": owner, "kind": kind, "asked_on": _iso(asked)}
            chance, wait, pick = rng.random(3)
            answer = "agreed"
            if kind in _CABLES:
                answer = {"bundled": "bundle", "buried": "bury"}.get(
                    str(c["aerial_cable_status"]), ("bundle", "bury", "bundle", "refused")[int(pick * 4)]
                )
            elif kind == "gas" and pick < 0.25:
                answer = "no_facility"
            open_ = (c["compound_id"], owner) in waiting
            if open_ and kind in _CABLES:  # the four of them never answer alike
                answer = {"电信公司": "bundle", "移动公司": "bury", "联通公司": "refused"}.get(owner, "pending")
            elif open_ or (not done and chance < 0.22):
                answer = "pending"
            row["answer"] = answer
            row["answered_on"] = None if answer == "pending" else _after(asked, 6 + 34 * wait)
            accepted = c["accepted_at"]
            if c["status"] in ("handed_over", "managed") and isinstance(accepted, str) and answer in ("agreed", "bury"):
                row["handed_over_on"] = _after(pd.Timestamp(accepted), 10 + 50 * wait)
            out.append(row | ({"note": "已发函两次"} if open_ and answer == "pending" else {}))
    return _numbered(out, "utilities", "utility_id", "QS", ["compound_id"])


def _opinions(compounds: pd.DataFrame, names: Mapping[str, Any], rng: np.random.Generator) -> pd.DataFrame:
    """Return questions and wishes of this year's residents; in its two smallest compounds the whole vote.

    Where single votes are kept they agree with the ledger's two rates; elsewhere the ledger alone has them.
    """
    current = compounds[compounds["programme_year"] == 2022]
    voted = set(current.nsmallest(2, "households")["compound_id"])
    out: list[dict[str, Any]] = []
    for c in current.to_dict("records"):
        start = _day(c["start_actual"], "2022-09")
        for k in rng.permutation(len(_ASKED))[: int(rng.integers(2, 5))]:
            stance, topic, text, reply, status = _ASKED[k]
            on = start + pd.Timedelta(days=int(rng.integers(-45, 60)))
            on = min(on, pd.Timestamp(AS_OF))
            back = _after(on, int(rng.integers(3, 25)))
            answered = back is not None and rng.random() < 0.8
            out.append({
                "compound_id": c["compound_id"], "received_on": _iso(on), "topic": topic, "stance": stance, "text": text,
                "channel": str(rng.choice(["door", "share", "meeting", "hotline"], p=[0.4, 0.3, 0.2, 0.1])),
                "person": f"{rng.choice(names['surnames'])}某", "reply": reply if answered else None,
                "replied_on": back if answered else None, "status": status if answered else "open",
            })  # fmt: skip
        if c["compound_id"] in voted:
            votes = round(c["households"] * c["participation_rate"] / 100)
            agree = round(votes * c["consent_rate"] / 100)
            asked = _iso(start - pd.Timedelta(days=50))
            for k in range(votes):
                stance = "agree" if k < agree else "disagree"
                out.append({"compound_id": c["compound_id"], "received_on": asked, "topic": "改造方案", "stance": stance,
                            "channel": "door", "status": "answered", "replied_on": asked})  # fmt: skip
    return _numbered(out, "opinions", "opinion_id", "YJ", ["received_on", "compound_id"])


def _changes(
    compounds: pd.DataFrame, verdicts: pd.DataFrame, problems: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Return design changes: greening to paving where residents asked, a pump where nothing falls, and everyday ones."""
    begun = dict(zip(compounds["compound_id"], compounds["start_actual"], strict=True))
    out: list[dict[str, Any]] = []

    def add(compound: str, item: str, reason: str, cost: float, on: pd.Timestamp, signed: str | None) -> None:
        day = _iso(min(on, pd.Timestamp(AS_OF)))
        out.append({"compound_id": compound, "item": item, "reason": reason, "cost_delta_wan": round(cost, 2), "date": day,
                    "approved_by": signed})  # fmt: skip

    asked = problems[problems["category"] == "resident_demand"]
    for p in asked.to_dict("records"):
        signed = _FOUR if p["status"] in ("closed", "resolved") else "业主;设计"
        raised = pd.Timestamp(p["raised_at"])
        add(p["compound_id"], PAVING, "resident_feedback", rng.uniform(2, 9), raised + pd.Timedelta(days=30), signed)
    low = verdicts.loc[verdicts["verdict"] == "no_gravity", "compound_id"]
    for compound in low:
        start = _day(begun[compound], "2022-09")
        add(compound, PUMP, "site_condition", rng.uniform(14, 26), start + pd.Timedelta(days=50), "设计;施工")
    parking = compounds.loc[compounds["programme_year"].isin([2021, 2022]), "compound_id"].to_numpy()
    rest = rng.permutation([c for c in parking if c not in {*asked["compound_id"], *low}])
    for k, compound in enumerate(rest[:14]):
        item, reason, least, most = _CHANGES[k % len(_CHANGES)] if k >= 3 else (PAVING, "resident_feedback", 2.0, 9.0)
        start = _day(begun[compound], "2022-09")
        signed = _FOUR if rng.random() < 0.85 else "业主;监理;施工"
        add(str(compound), item, reason, rng.uniform(least, most), start + pd.Timedelta(days=int(rng.integers(15, 75))), signed)  # fmt: skip
    return _numbered(out, "design_changes", "change_id", "BG", ["date", "compound_id"])


def _inspections(
    compounds: pd.DataFrame, problems: pd.DataFrame, management: pd.DataFrame, names: Mapping[str, Any],
    rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    """Return inspections while work goes on, and the look backs that the management table sums up."""
    out: list[dict[str, Any]] = []

    def add(compound: str, on: str, kind: str, bad: str | None, rectified: str | None, score: float | None) -> None:
        result = "passed" if bad is None else "stopped" if bad == _INSPECTED["safety"][0] else "rectify"
        points = rng.integers(82, 98) if bad is None else rng.integers(58, 75)
        out.append({
            "compound_id": compound, "held_on": on, "kind": kind, "items": bad, "rectified_on": rectified, "result": result,
            "score": float(points) if score is None else score, "inspector": f"{rng.choice(names['surnames'])}某",
        })  # fmt: skip

    for c in compounds.to_dict("records"):
        start, current = _day(c["start_actual"], "2022-09"), c["programme_year"] == 2022
        end = pd.Timestamp(AS_OF) if current else _day(c["finish_actual"], "2022-05", last=True)
        kinds = list(_INSPECTED) if current else ["materials", "quality"]
        for kind in kinds[: 4 if (end - start).days > 90 else 2]:
            on = start + pd.Timedelta(days=int(rng.integers(5, max(6, (end - start).days))))
            bad = str(rng.choice(_INSPECTED[kind])) if rng.random() < 0.22 else None
            add(
                c["compound_id"],
                _iso(on),
                kind,
                bad,
                None if bad is None else _after(on, int(rng.integers(4, 20))),
                None,
            )
    for p in problems[problems["category"] == "quality"].to_dict("records"):
        # the audit still finds these pipes loose, so nobody has put them right
        add(p["compound_id"], p["raised_at"], "quality", p["description"], None, None)
    looked = management[management["inspection_date"].notna()]
    for m in looked.to_dict("records"):
        bad = m["relapse_items"] if isinstance(m["relapse_items"], str) else None
        add(m["compound_id"], m["inspection_date"], "look_back", bad, None, float(m["inspection_score"]))
    # two had failed in spring and were put right before the look back of September
    for m in looked[looked["relapse_items"].isna()].head(2).to_dict("records"):
        add(m["compound_id"], "2022-05-18", "look_back", "占道" if len(out) % 2 else "飞线", "2022-06-08", None)
    return _numbered(out, "inspections", "inspection_id", "JC", ["held_on", "compound_id", "kind"])


def _works(
    compounds: pd.DataFrame, verdicts: pd.DataFrame, changes: pd.DataFrame, utilities: pd.DataFrame,
    rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    """Return one row per compound and item of the catalogue: planned, done and when.

    What is below the ground is done first; the share done is that of the ledger's physical progress.
    """
    catalogue = pd.read_csv(resources.geodata("works", "catalogue.csv"), dtype="str", encoding="utf-8-sig")
    below = dict(zip(catalogue["code"], catalogue["ground"].isin(["under", "both"]), strict=True))
    unserved = set(verdicts.loc[verdicts["verdict"].isin(["not_connected", "no_main"]), "compound_id"])
    paving = changes[changes["item"] == PAVING]
    paved, unsigned = set(paving["compound_id"]), set(paving.loc[paving["approved_by"] != _FOUR, "compound_id"])
    no_gas = set(utilities.loc[utilities["answer"] == "no_facility", "compound_id"])
    out = []
    for c in compounds.to_dict("records"):
        draws = dict(zip(_WORKS, rng.random(len(_WORKS)), strict=True))
        codes = {code for code, often in _WORKS.items() if draws[code] < often}
        if c["compound_id"] in unserved and c["status"] in _DONE:
            codes -= {"B02"}  # renovated, and the sewer was left as it was: that is the gap
        if c["compound_id"] in no_gas:
            codes -= {"B06"}
        codes |= {"B13"} | ({"W05"} if c["compound_id"] in paved else set())
        codes |= {"W01"} if c["illegal_structures"] > 0 else set()
        start, done = _day(c["start_actual"], "2022-09"), c["status"] in _DONE
        end = _day(c["finish_actual"], "2022-05", last=True) if done else pd.Timestamp(AS_OF)
        order = sorted(codes, key=lambda code: (not below[code], draws.get(code, 0.5), code))
        through = len(order) if done else int(len(order) * c["image_progress_pct"] / 100)
        for k, code in enumerate(order):
            finished = k < through
            if code == "B13":
                finished = c["aerial_cable_status"] in ("bundled", "buried")
            elif code == "W05" and not done and c["compound_id"] in unsigned:
                finished = False  # nobody paves before the four have signed
            elif code == "W01":
                finished = c["illegal_removed"] >= c["illegal_structures"]
            days = (end - start).days * (k + 1) / max(through, k + 1)
            on = _iso(start + pd.Timedelta(days=int(days))) if finished else None
            out.append({"works_id": f"{c['compound_id']}-{code}", "compound_id": c["compound_id"], "code": code,
                        "planned": True, "done": finished, "finished_on": on})  # fmt: skip
    return typed(pd.DataFrame(out).sort_values("works_id", ignore_index=True), "works")


def records(
    compounds: pd.DataFrame,
    verdicts: pd.DataFrame,
    told: Mapping[str, pd.DataFrame],
    names: Mapping[str, Any],
    rng: np.random.Generator,
) -> dict[str, pd.DataFrame]:
    """Return utilities, opinions, design changes, inspections and works.

    Parameters
    ----------
    compounds : DataFrame
        One row per compound, the ledger's columns.
    verdicts : DataFrame
        ``compound_id verdict``, the truth.
    told : mapping of str to DataFrame
        ``problems`` and ``management``, with which the records agree.
    names : mapping
        Shipped names.
    rng : numpy.random.Generator
        A stream of its own, so that what the county held before stays as it is.

    Returns
    -------
    dict of str to DataFrame
        In the schema's columns; no date is later than `programme.AS_OF`.
    """
    problems = told["problems"]
    utilities = _utilities(compounds, problems, rng)
    changes = _changes(compounds, verdicts, problems, rng)
    return {
        "utilities": utilities,
        "opinions": _opinions(compounds, names, rng),
        "design_changes": changes,
        "inspections": _inspections(compounds, problems, told["management"], names, rng),
        "works": _works(compounds, verdicts, changes, utilities, rng),
    }
