"""This module says in sentences what a plan rests on: everything that was taken for granted or is paid for specially."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

from mapapp.core.text import Text
from mapapp.plan import costs
from mapapp.plan.existing import Existing
from mapapp.plan.layout import Layout, Site
from mapapp.plan.obstacles import CROSSED, obstacles
from mapapp.plan.standard import Standard

Array = np.ndarray[Any, Any]


def assumptions(site: Site, frame: Any, guessed: Array, layout: Layout) -> list[Text]:
    """Return every assumption that the plan rests on."""
    standard, prices = site.standard, site.prices
    out = [
        Text("标准：{s}；每户 {p:g} 人，{l:g} L/(人·d)，排放系数 {r:g}，入渗 {i:.0%}。",
             "Standard: {s}; {p:g} persons per household, {l:g} L per person and day, return {r:g}, infiltration {i:.0%}.")
        .format(s=standard.title, p=standard.persons_per_household, l=standard.litres_per_person_day,
                r=standard.return_share, i=standard.infiltration_share),
        Text("价格本：{p}（{c}）；低 ×{a:g}，高 ×{b:g}。", "Price book: {p} ({c}); low x{a:g}, high x{b:g}.")
        .format(p=prices.title, c=prices.currency, a=prices.low, b=prices.high),
        Text("小区排水管在出口处按最小覆土 {h:g} m 考虑。", "Drains leave a compound at minimum cover, {h:g} m.")
        .format(h=standard.min_cover_m),
    ]  # fmt: skip
    out.extend(standard.notes)
    if prices.example:
        out.insert(
            0,
            Text(
                "价格为示例，不是真实造价，请换成当地价格。",
                "The prices are examples, nobody's real ones: put in your own.",
            ),
        )
    if prices.running is not None and len(frame) and frame["pump"].any():
        run = prices.running
        out.append(
            Text(
                "泵站每座 {a:,.0f}（另计流量与扬程）：建设 {b:,.0f}；{y:g} 年运行现值 {w:,.0f}（年利率 {i:.1%}，"
                "每年管护 {e:,.0f}，每 {n:g} 年更新设备 {r:,.0f}）。",
                "A pumping station costs {a:,.0f} before flow and lift: building {b:,.0f}, and {w:,.0f} for running it over {y:g} "
                "years, at today's worth ({i:.1%} interest, {e:,.0f} a year for attendance, {r:,.0f} for renewal every {n:g} years).",
            ).format(
                a=prices.pump[0], b=prices.pump[0] - run.worth, w=run.worth, y=run.life_years, i=run.interest, e=run.yearly,
                r=run.renewal, n=run.renewal_years,
            )
        )  # fmt: skip
    if layout.cut_short:
        out.append(
            Text(
                "搜索被提前停止：此为到那时为止最好的方案。",
                "The search was stopped early: this is the best plan found until then.",
            )
        )
    joined = layout.compounds >= 0
    if k := int((guessed & joined).sum()):
        out.append(
            Text(
                "{k} 个小区户数未知或为零，按建筑面积、楼栋数或 50 户估算。",
                "{k} compounds with unknown or zero households: taken from floor area, buildings, or 50.",
            ).format(k=k)
        )
    if len(frame):
        if not site.ground.known:
            out.append(
                Text(
                    "没有任何高程：按平地计算，标高留空，造价范围放宽。",
                    "No height is known: flat ground was assumed, levels are left out, the cost range is wider.",
                )
            )
        elif k := int((~frame["ground_known"]).sum()):
            out.append(
                Text(
                    "{k} 条管段附近 250 米内没有高程，地面为推算。",
                    "{k} pipes have no height within 250 m: their ground is extrapolated.",
                ).format(k=k)
            )
        out += _unknown_inverts(frame, layout)
        if k := int((frame["corridor"] == "straight").sum()):
            out.append(
                Text("{k} 条管段不沿道路，为直线示意。", "{k} pipes follow no street: straight lines.").format(k=k)
            )
    return out


def _unknown_inverts(frame: Any, layout: Layout) -> list[Text]:
    ends = layout.pipes.loc[layout.pipes["target"] >= 0, "outlet_invert_m"]
    unknown = int((~frame["target_known"]).sum())
    nothing = int(ends.isna().sum())
    out = []
    if unknown > nothing:
        out.append(
            Text(
                "{k} 处受纳管底标高未知，按上下游已知标高内插，造价范围放宽。",
                "{k} receiving sewers have no known invert: taken from those above and below, and the cost range is wider.",
            ).format(k=unknown - nothing)
        )
    if nothing:
        out.append(
            Text(
                "{k} 处受纳管底标高未知，未核对能否自流接入。",
                "{k} receiving sewers have no known invert: whether the fall suffices was not checked.",
            ).format(k=nothing)
        )
    return out


def way_notes(site: Site, layout: Layout, frame: Any, layers: Mapping[str, Any], gates: Array) -> list[Text]:
    """Return what pipes cross at a price, how many run through houses, and what a metre of them comes to."""
    if not len(frame):
        return []
    out: list[Text] = []
    c = site.corridors
    edges = np.unique(layout.pipes["edge"].to_numpy(np.int64))
    times = np.ceil(c.crossings[edges].sum(axis=0))
    for name, count in zip(CROSSED, times.tolist(), strict=True):
        if count:
            out.append(CROSSING[name].format(k=int(count), each=site.prices.crossing.get(name, 0.0)))
    if k := _through_houses(frame, layers, gates):
        out.append(
            Text(
                "{k} 条管段穿过建筑（没有其他走向），须现场核实。",
                "{k} pipes run through buildings, as no other way was found: look on the spot.",
            ).format(k=k)
        )
    return [*out, *_unit_prices(frame, site)]


def _unit_prices(frame: Any, site: Site) -> list[Text]:
    """Return what was paid for a metre of each size, for a manhole, for the surfaces there are."""
    laid = frame[frame["length_m"] >= 1.0]
    metre = (laid["cost_pipe"] / laid["length_m"]).groupby(laid["diameter_mm"]).agg(["min", "max"])
    pipes = ", ".join(f"DN{size:g} {low:,.0f}-{high:,.0f}" for size, low, high in metre.itertuples())
    wells = frame["cost_manhole"] - frame["cost_new_manhole"].fillna(0.0)
    kinds = sorted(set(frame["surface"].fillna("")))
    price = costs.surface_per_metre(np.array(kinds, object), site.prices)
    zh = "、".join(f"{SURFACE.get(k, Text(k, k)).zh} {x:,.0f}" for k, x in zip(kinds, price, strict=True))
    en = ", ".join(f"{SURFACE.get(k, Text(k, k)).en} {x:,.0f}" for k, x in zip(kinds, price, strict=True))
    words = Text(
        "采用单价（每米）：{pipes}；检查井每座 {low:,.0f}～{high:,.0f}；路面恢复每米：{zh}。",
        "Prices used, per metre: {pipes}; manholes {low:,.0f} to {high:,.0f} each; reinstatement per metre: {en}.",
    )
    return [words.format(pipes=pipes, low=wells.min(), high=wells.max(), zh=zh, en=en)]


SURFACE = {
    "": Text("路面未知", "surface unknown"), "asphalt": Text("沥青", "asphalt"), "concrete": Text("水泥混凝土", "concrete"),
    "paving": Text("铺装", "paving"), "brick": Text("铺装", "paving"), "gravel": Text("碎石", "gravel"), "unpaved": Text("土路", "unpaved"),
}  # fmt: skip
CROSSING = {
    "river": Text("穿越水体 {k} 处，每处另计 {each:,.0f}。", "Water is crossed {k} times, {each:,.0f} each on top."),
    "railway": Text(
        "穿越铁路 {k} 处，每处另计 {each:,.0f}。", "Railways are crossed {k} times, {each:,.0f} each on top."
    ),
    "main_road": Text(
        "穿越主要道路 {k} 处，每处另计 {each:,.0f}。", "Main roads are crossed {k} times, {each:,.0f} each on top."
    ),
}


def _through_houses(frame: Any, layers: Mapping[str, Any], gates: Array) -> int:
    houses = obstacles(layers.get("buildings"))
    if houses is None:
        return 0
    pipe, house = houses.query(frame.geometry.to_numpy(), predicate="crosses")
    shape = houses.geometries[house]
    own = shapely.STRtree(gates).query(shape, predicate="intersects")[0]  # a house of a compound that is joined
    foreign = np.ones(len(pipe), bool)
    foreign[own] = False
    return len(np.unique(pipe[foreign]))


def room_notes(frame: Any, existing: Existing, shut: int, *, footways: bool, standard: Standard) -> list[Text]:
    """Return what was taken for granted about the sewers that links join, and about footways."""
    out: list[Text] = []
    last = frame[frame["downstream_link_id"].isna()] if len(frame) else frame
    if len(last):
        out.append(
            Text(
                "受纳管能力按设计充满度（{n}）计算，现状流量只计已接入的 {k:.0f} 户；台账以外的来水未知。",
                "Receiving sewers: capacity at the standard's fill ({n}), flow of the {k:.0f} households on record as "
                "connected; what else drains into them is not known.",
            ).format(
                n=f"n = {standard.roughness:g}"
                if not standard.wall_mm
                else f"Colebrook-White, k = {standard.wall_mm:g} mm",
                k=existing.households[existing.out[existing.down] < 0].sum() if len(existing.pipe_id) else 0.0,
            )
        )
        if k := int(last["target_spare_lps"].isna().sum()):
            out.append(
                Text(
                    "{k} 处受纳管的管径或坡度不明，剩余能力未知，按有能力考虑。",
                    "{k} receiving sewers have no known size or slope: taken to have room.",
                ).format(k=k)
            )
        if k := last["new_manhole"].dropna().nunique():
            out.append(
                Text("在现状管上新建检查井 {k} 座。", "{k} new manholes are built on existing pipes.").format(k=k)
            )
    if shut:
        out.append(
            Text(
                "{k} 个接入点因管道没有剩余能力未采用。", "{k} places were not used: their sewer has no room left."
            ).format(k=shut)
        )
    if footways:
        out.append(
            Text(
                "管线沿两侧人行道敷设，与中线的距离按道路等级取值。",
                "Pipes lie in the footways, at a distance from the centreline by class of street.",
            )
        )
    return out
