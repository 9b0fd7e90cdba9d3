"""This module is the table of rules: what each one says, why it matters, how to mend it, and how not to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from mapapp.core.text import Text

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: everything that map, legend, report, docs and command line say about a rule.

    ``message`` is filled per finding; ``needs`` names the layers (and ``layer.column``) without which the rule is not
    run; ``unit`` belongs to the finding's value.
    """

    id: str
    title: Text
    why: Text
    fix: Text
    trap: Text
    severity: Severity
    needs: tuple[str, ...]
    message: Text
    unit: str = ""
    source: str = ""


_LIST: tuple[Rule, ...] = (
    # ── one layer ────────────────────────────────────────────────────────────────────────────────────────────────
    Rule(
        "invalid_geometry",
        Text("图形无效", "Invalid geometry"),
        Text("自相交、类型不符、坐标无效或断成几截的图形，量不出可靠的长度和位置。",
             "A shape that crosses itself, has the wrong type or impossible coordinates, or lies in pieces cannot be measured."),
        Text("在原图中修正图形后重新导入。", "Mend the shape in the source and import it again."),
        Text("不要用自动修复的图形覆盖原图：修复可能丢掉一部分。", "Do not overwrite the source with a repaired shape: a repair may drop a part."),
        "error", ("pipes|compounds|manholes|outlets",), Text("{layer} {a} 的图形无效：{reason}。", "{layer} {a} has an invalid shape: {reason}."),
    ),
    Rule(
        "null_geometry",
        Text("没有图形", "No geometry"),
        Text("没有位置的记录无法参与连通分析，也不会出现在图上。", "A record without a place takes no part in the network and is on no map."),
        Text("按测量坐标补绘，或删除空记录。", "Draw it from the survey's coordinates, or delete the empty record."),
        Text("不要随便放一个点：错误的位置比没有位置更糟。", "Do not put it just anywhere: a wrong place is worse than none."),
        "error", ("pipes|compounds|manholes|outlets",), Text("{layer} {a} 没有图形。", "{layer} {a} has no geometry."),
    ),
    Rule(
        "duplicate_id",
        Text("编号重复", "Duplicate id"),
        Text("同一编号指向多条记录时，结论、缺口和分享会指错对象。", "When one id names several records, verdicts, findings and shares point at the wrong one."),
        Text("核对后给多余的记录换新编号或删除。", "Check them, then give the extra records new ids or delete them."),
        Text("两条记录可能都是真的（编号抄错），不要直接删除其中一条。", "Both may be real, with a slip in one id: do not just delete one."),
        "error", ("pipes|compounds|manholes|outlets",), Text("{layer} 编号 {a} 出现 {value:.0f} 次。", "{layer}: the id {a} occurs {value:.0f} times."),
    ),
    Rule(
        "duplicate_geometry",
        Text("管线重复", "Drawn twice"),
        Text("同一段管画了两次会使长度和造价翻倍，还会掩盖断头。", "A pipe drawn twice doubles length and cost, and hides a loose end."),
        Text("保留资料较全的一条，删除另一条。", "Keep the one with the better data and delete the other."),
        Text("并行的两条管不是重复；雨污同槽也不是。", "Two pipes side by side are no duplicates; sewage and storm in one trench neither."),
        "warning", ("pipes",), Text("管段 {a} 与 {b} 重合（反向或略有偏移也算）。", "Pipe {a} lies on pipe {b} (drawn the other way or slightly off counts too)."),
    ),
    Rule(
        "zero_length",
        Text("长度为零", "Zero length"),
        Text("起点和终点相同的管不输水。", "A pipe that starts where it ends carries nothing anywhere."),
        Text("补上缺失的端点坐标，或删除。", "Give it its missing end, or delete it."),
        Text("比捕捉容差还短的短管是真管，不要当作零长删除。", "A stub shorter than the snap tolerance is a real pipe: do not delete it as zero length."),
        "error", ("pipes",), Text("管段 {a} 的长度为零。", "Pipe {a} has no length."), "m",
    ),
    Rule(
        "overlap",
        Text("管线部分重叠", "Overlap"),
        Text("两条同类管共用一段路线，多半是重复测量或分段错误。", "Two pipes of one system share a stretch: surveyed twice, or cut in the wrong place."),
        Text("在重叠处打断，删除多余的一段。", "Cut them where the overlap ends and delete the extra stretch."),
        Text("先看管径和标高：上下重叠的两条管可能都存在。", "Look at sizes and levels first: one pipe above the other may be real."),
        "warning", ("pipes",), Text("管段 {a} 与 {b} 重叠 {value:.1f} 米。", "Pipe {a} shares {value:.1f} m with pipe {b}."), "m",
    ),
    Rule(
        "sentinel_value",
        Text("占位数值", "Placeholder value"),
        Text("0、-99、9999 之类的占位数被当作标高，会造出假的倒坡。", "A placeholder such as 0, -99 or 9999 read as a level makes adverse slopes that do not exist."),
        Text("改为空值，有条件时补测。", "Make it empty; survey it when possible."),
        Text("沿海的真实零标高和负标高不是占位数。", "By the sea, zero and negative levels are true."),
        "warning", ("pipes|manholes",), Text("{layer} {a} 的 {field} 为 {value:g}，是占位数，按缺失处理。", "{layer} {a}: {field} is {value:g}, a placeholder; treated as missing."),
    ),
    # ── two layers ───────────────────────────────────────────────────────────────────────────────────────────────
    Rule(
        "node_missing",
        Text("井点缺失", "Node missing"),
        Text("管段记录的井号在井点表中找不到，测量成果不完整。", "A pipe names a node that is not in the point table: the survey delivery is incomplete."),
        Text("向测量单位补要井点表，或更正井号。", "Ask the surveyors for the point table, or correct the node's name."),
        Text("不要按最近的井改号：相邻的可能是另一个系统的井。", "Do not rename it after the nearest manhole: that one may belong to the other system."),
        "warning", ("pipes.from_node|pipes.to_node", "manholes"), Text("管段 {a} 的{end} {b} 不在井点表中。", "Pipe {a}: its {end} {b} is not among the manholes."),
    ),
    Rule(
        "orphan_manhole",
        Text("孤立检查井", "Orphan manhole"),
        Text("没有任何管段用到的井，多半是漏测了管。", "A manhole that no pipe uses: most likely the pipe was not surveyed."),
        Text("现场开井核对，补测管段。", "Open it on site and survey its pipes."),
        Text("预留井可能本来就没有接管。", "A manhole built ahead of its pipes may truly have none."),
        "warning", ("manholes", "pipes"), Text("检查井 {a} 没有管段相连。", "No pipe meets manhole {a}."),
    ),
    Rule(
        "ground_mismatch",
        Text("高程不符", "Levels disagree"),
        Text("地面高程应等于管底高程加埋深；不等时至少有一个数是错的。", "Ground level should equal invert plus depth; otherwise at least one of them is wrong."),
        Text("查原始记录，重测不符的一项。", "Look up the field record and survey the wrong one again."),
        Text("先确认埋深量到管顶还是管底，不要整层平移。", "Ask first whether depth was measured to crown or invert; do not shift a whole layer."),
        "warning", ("pipes", "manholes"), Text("管段 {a} 在检查井 {b}：地面高程与管底加埋深相差 {value:.2f} 米。", "Pipe {a} at manhole {b}: ground level and invert plus depth differ by {value:.2f} m."), "m",
        "CJJ 61-2017",
    ),
    Rule(
        "cover_shallow",
        Text("覆土不足", "Shallow cover"),
        Text("覆土太浅的管容易被压坏、冻坏。", "A pipe with too little cover is crushed or freezes."),
        Text("加固或降低管道；先核对地面高程和管径。", "Protect or lower the pipe; check ground level and diameter first."),
        Text("埋深量到管顶的资料会被误判，先确认口径。", "Depths measured to the crown are misjudged: ask how they were measured."),
        "info", ("pipes", "manholes|pipes.from_depth_m"), Text("管段 {a} 的覆土为 {value:.2f} 米。", "Pipe {a} has {value:.2f} m of cover."), "m",
        "GB 50014-2021 5.3.7",
    ),
    Rule(
        "manhole_spacing",
        Text("井距过大", "Manholes too far apart"),
        Text("井距过大的管段无法清通。", "Between manholes too far apart a sewer cannot be cleaned."),
        Text("核对是否漏测了井，否则增设检查井。", "Check whether a manhole was missed; otherwise add one."),
        Text("不要为了间距在图上凭空加井。", "Do not draw a manhole that is not there to satisfy the spacing."),
        "info", ("pipes", "manholes"), Text("管段 {a} 两井相距 {value:.1f} 米，超过 {limit:.0f} 米。", "Pipe {a}: {value:.1f} m between manholes, more than {limit:.0f} m."), "m",
        "GB 50014-2021 table 5.4.4",
    ),
    # ── the network ──────────────────────────────────────────────────────────────────────────────────────────────
    Rule(
        "mid_pipe_junction",
        Text("管身相接无井", "Junction without a node"),
        Text("管端搭在另一条管的管身上，但此处没有节点，图上看着相连，水流不通。", "An end touches the middle of another pipe where there is no node: it looks joined, and carries nothing."),
        Text("核对后在此处设井并打断主管。", "Check it, then set a manhole and cut the main there."),
        Text("两管交叉而过不是相接。", "Two pipes that cross do not join."),
        "error", ("pipes",), Text("管段 {a} 的一端搭在管段 {b} 的管身上，此处没有检查井，不算接通。", "Pipe {a} ends on the middle of pipe {b}; there is no manhole, so it is not connected."), "m",
    ),
    Rule(
        "near_miss",
        Text("差一点没接上", "Near miss"),
        Text("管端离另一条管不到一米却没有接上，多半是绘图误差；上游全部失去出路。", "An end stops less than a metre from another pipe: most likely a drawing error, and all above it loses its outlet."),
        Text("核对后把管端移到节点上。", "Check it, then move the end onto the node."),
        Text("不要接到另一个系统的管上。", "Do not join it to a pipe of the other system."),
        "error", ("pipes",), Text("管段 {a} 的一端离 {b} 只有 {value:.2f} 米，没有接上。", "Pipe {a} stops {value:.2f} m from {b} without joining it."), "m",
    ),
    Rule(
        "dangling",
        Text("断头管", "Dangling end"),
        Text("水流到这里就没有去处：只进不出，又不是排口或厂站。", "Water arrives here and cannot leave: inflow, no outflow, and no outlet."),
        Text("现场找下游管；确无下游则列入接管计划。", "Look for the next pipe on site; if there is none, plan a link."),
        Text("管线的起端不是断头；被普查边界截断的也不是。", "The upper end of a sewer is not a dangling end, nor is one cut by the edge of the survey."),
        "error", ("pipes",), Text("管段 {a} 的下游端没有去处（断头）。", "Pipe {a} ends with nowhere for its water to go."),
    ),
    Rule(
        "island",
        Text("孤立管网", "Island"),
        Text("这一片管网与任何厂站、排口都不相连。", "This piece of network is joined to no plant, pump or outfall at all."),
        Text("查漏测的连接管。", "Look for the connecting pipe that was not surveyed."),
        Text("自带处理站的村庄不是孤岛：先补录处理站。", "A village with its own plant is no island: record the plant first."),
        "error", ("pipes",), Text("以管段 {a} 为代表的 {n} 段管（{value:.0f} 米）与任何出路都不相连。", "{n} pipes ({value:.0f} m, {a} among them) are joined to no outlet."), "m",
    ),
    Rule(
        "no_outlet",
        Text("没有污水出路", "No outlet that serves"),
        Text("这一片管网到不了污水处理厂或上级管网。", "From here no water reaches a treatment plant or the boundary to a greater network."),
        Text("查下游；若直排水体，应截流接厂。", "Look downstream; where it runs into water, intercept it."),
        Text("排入河道的排口不算出路，泵站也不是终点。", "An outfall into a river is no outlet that serves, and a pump is not the end."),
        "error", ("pipes",), Text("以管段 {a} 为代表的 {n} 段管（{value:.0f} 米）到不了污水厂或上级管网{reason}。", "{n} pipes ({value:.0f} m, {a} among them) reach no plant or boundary{reason}."), "m",
    ),
    Rule(
        "cross_connection",
        Text("雨污混接", "Cross connection"),
        Text("污水进了雨水管就会流进河里；雨水进了污水管会冲垮污水厂。", "Sewage in a storm pipe ends in the river; storm water in a sewer overloads the plant."),
        Text("查明后改接到本系统。", "Confirm it, then join it to its own system."),
        Text("平面位置重合不等于相通：先看各自有没有下游。", "Two systems at one place in plan need not be joined: see whether each goes on."),
        "error", ("pipes.kind",), Text("{what}：管段 {a} 接入管段 {b}。", "{what}: pipe {a} runs into pipe {b}."), "",
        "GB 50014-2021 3.1.2, 5.1.14",
    ),
    Rule(
        "adverse_slope",
        Text("倒坡", "Adverse slope"),
        Text("管底顺水流方向升高，会淤积、壅水。", "The invert rises in the direction of flow: it silts up and backs up."),
        Text("复测两端标高；属实则翻建。", "Survey both ends again; rebuild if it is true."),
        Text("先排除画反：方向反了的管不是倒坡。压力管不看坡度。", "Rule out a reversed drawing first. Pressure pipes have no slope to judge."),
        "warning", ("pipes.from_invert_m", "pipes.to_invert_m"), Text("管段 {a} 顺水流方向升高 {value:.2f} 米。", "Pipe {a} rises {value:.2f} m in the direction of flow."), "m",
        "GB 50014-2021 5.2.10",
    ),
    Rule(
        "reversed",
        Text("流向记反", "Direction reversed"),
        Text("记录（或绘制）的方向与标高相反；按标高分析。", "The recorded (or drawn) direction runs against the levels; the levels are used."),
        Text("核对后对调起点和终点。", "Check it, then swap its two ends."),
        Text("不要对调真倒坡的管：那会把问题藏起来。", "Do not swap a pipe of truly adverse slope: that hides the fault."),
        "info", ("pipes",), Text("管段 {a} 的方向与{reason}相反，按实际流向处理。", "Pipe {a} is recorded against {reason}; the true direction is used."),
    ),
    Rule(
        "flat_slope",
        Text("坡度不足", "Too flat"),
        Text("坡度低于最小设计坡度，容易淤积。", "Below the least design slope a sewer silts up."),
        Text("加强清淤；改造时调坡。", "Clean it more often; regrade it when it is renewed."),
        Text("短管上一厘米的测量误差就能改变坡度。", "On a short pipe one centimetre of survey error changes the slope."),
        "info", ("pipes.from_invert_m", "pipes.to_invert_m"), Text("管段 {a} 的坡度为 {value:.5f}，低于 {limit:.4f}。", "Pipe {a} has a slope of {value:.5f}, below {limit:.4f}."), "m/m",
        "GB 50014-2021 table 5.2.10",
    ),
    Rule(
        "diameter_decreases",
        Text("大管接小管", "Smaller downstream"),
        Text("下游管径变小会壅水。", "A smaller pipe downstream makes water back up."),
        Text("核对管径记录；属实则放大下游管。", "Check the recorded sizes; if true, enlarge the lower pipe."),
        Text("坡度变陡时允许小一到两级。", "Where the slope steepens, up to two sizes smaller is allowed."),
        "warning", ("pipes.diameter_mm",), Text("管段 {a} 管径 {value:.0f} mm，小于上游 {b} 的 {limit:.0f} mm。", "Pipe {a} has {value:.0f} mm, less than the {limit:.0f} mm of {b} above it."), "mm",
        "GB 50014-2021 5.2.11",
    ),
    Rule(
        "level_mismatch",
        Text("标高不接", "Levels do not meet"),
        Text("出水管比进水管高，水过不去；落差过大又没有跌水井会冲坏井底。", "An outgoing pipe above the incoming one stops the water; a great drop without a drop manhole wears the bottom out."),
        Text("复测该井各管的管底标高。", "Survey the inverts of this manhole again."),
        Text("高位支管接入低位主管是正常的。", "A branch that comes in above the main is normal."),
        "warning", ("pipes.from_invert_m", "pipes.to_invert_m"), Text("管段 {b} 流入管段 {a} 处，{what} {value:.2f} 米。", "Where pipe {b} runs into pipe {a}: {what} of {value:.2f} m."), "m",
        "GB 50014-2021 5.5.1, 5.5.2",
    ),
    # ── compounds ────────────────────────────────────────────────────────────────────────────────────────────────
    Rule(
        "not_connected",
        Text("未接入", "Not connected"),
        Text("附近有污水主管，但小区没有接户管。", "A sewer is near, and the compound has no pipe to it."),
        Text("按候选接入井安排接户管。", "Plan a link to one of the candidate manholes."),
        Text("离得近不等于接上了；从小区里穿过的主管也不等于接入。", "Near is not connected, and a main that passes through does not serve."),
        "error", ("compounds", "pipes"), Text("小区 {a}：{evidence}", "Compound {a}: {evidence}"), "m",
    ),
    Rule(
        "no_main",
        Text("没有主管", "No main"),
        Text("污水主管网没有布局到这里。", "The sewer network does not reach here."),
        Text("纳入主管网建设计划。", "Put it into the plan for mains."),
        Text("没有资料不等于没有管：先看是否普查过。", "No data is not no pipe: see first whether the place was surveyed."),
        "error", ("compounds", "pipes"), Text("小区 {a}：{evidence}", "Compound {a}: {evidence}"), "m",
    ),
    Rule(
        "wrong_outlet",
        Text("排向错误", "Wrong outlet"),
        Text("小区污水流进雨水管或直排水体。", "The compound's sewage runs into a storm pipe or into water."),
        Text("改接污水管，或在末端截流。", "Join it to a sewer, or intercept it at the end."),
        Text("旁边有好的主管，不说明小区接的是它。", "A good main beside it does not mean that the compound uses it."),
        "error", ("compounds", "pipes"), Text("小区 {a}：{evidence}", "Compound {a}: {evidence}"), "m",
    ),
    Rule(
        "no_gravity",
        Text("重力流不通", "No gravity flow"),
        Text("可接的管比小区出口高，水自己流不过去。", "The pipe that could take it lies higher than the compound's own outlet."),
        Text("复测标高；属实则设提升泵。", "Survey the levels again; if true, a pump is needed."),
        Text("标高未知时不能下这个结论。", "This cannot be said while levels are unknown."),
        "error", ("compounds", "pipes"), Text("小区 {a}：{evidence}", "Compound {a}: {evidence}"), "m",
    ),
    Rule(
        "inlet_unknown",
        Text("接入口不明", "Inlet unknown"),
        Text("主管就在旁边，但接户管没有普查，或接户井找不到。", "A main is near, but connections were not surveyed, or the inlet manhole cannot be found."),
        Text("现场找接户井，核实后补录。", "Find the inlet manhole on site and record it."),
        Text("不能当作未接入统计。", "Do not count it as not connected."),
        "warning", ("compounds", "pipes"), Text("小区 {a}：{evidence}", "Compound {a}: {evidence}"), "m",
    ),
    Rule(
        "no_data",
        Text("没有资料", "No data"),
        Text("这里没有普查过，有没有管并不知道。", "The place was not surveyed: whether there is a pipe is not known."),
        Text("安排探测，或索取资料。", "Have it surveyed, or ask for the records."),
        Text("不能当作没有主管。", "Do not count it as no main."),
        "info", ("compounds",), Text("小区 {a}：{evidence}", "Compound {a}: {evidence}"), "m",
    ),
    Rule(
        "contradicts_ledger",
        Text("与台账矛盾", "Contradicts the ledger"),
        Text("台账的答案与管网分析相反，两者必有一错。", "The ledger says the opposite of the network; one of the two is wrong."),
        Text("现场核实后更正台账或管网资料。", "Check on site, then correct the ledger or the network."),
        Text("不要默认台账或管网哪一方正确。", "Do not assume that either of them is right."),
        "warning", ("compounds.sewer_connection",), Text("小区 {a}：台账为“{ledger}”，分析结论为“{verdict}”。", "Compound {a}: the ledger says {ledger}, the network says {verdict}."),
    ),
)  # fmt: skip

RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in _LIST})
"""Every rule by id, in the order in which they are listed."""
