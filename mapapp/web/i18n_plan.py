"""This module holds the texts of the plan page, by key, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mapapp.core.text import Lang, Text

TEXTS: Mapping[str, Text] = MappingProxyType(
    {
        "nav.plan": Text("接入规划", "Plan"),
        "plan.title": Text("污水接入规划", "Plan of missing links"),
        "plan.panel": Text("方案", "The plan"),
        "plan.map": Text("拟建接入管地图", "Map of planned links"),
        "plan.none": Text("还没有方案。", "There is no plan yet."),
        "plan.none_hint": Text(
            "为每个未接入的小区找到到现状污水管的最省线路、管径、标高和造价；接不了的说明原因。",
            "Finds for each unserved compound the cheapest way to an existing sewer, with size, levels and cost, or says why not.",
        ),
        "plan.none_viewer": Text("还没有方案。请编辑人员先规划。", "There is no plan yet; an editor can make one."),
        "plan.run": Text("开始规划", "Plan"),
        "plan.rerun": Text("重新规划", "Plan again"),
        "plan.cancel": Text("取消", "Cancel"),
        "plan.cancelling": Text("正在取消…", "Cancelling…"),
        "plan.cancelled": Text("已取消，原方案未变。", "Cancelled; the last plan stands."),
        "plan.done": Text("方案已更新。", "The plan is new."),
        "plan.made": Text("{when} 由 {by} 编制", "made {when} by {by}"),
        "plan.changed": Text(
            "编制之后有变化：{what}。建议重新规划。", "Changed since the plan was made: {what}. Plan again."
        ),
        "plan.example": Text("示例价格", "example prices"),
        "plan.example_long": Text(
            "价格为示例，不是真实造价。上传当地价格本后重新规划。",
            "These are example prices, nobody's real ones. Upload your own price book and plan again.",
        ),
        "plan.linked": Text("拟接入", "linked"),
        "plan.of_unserved": Text("共 {n} 个未接入", "of {n} unserved"),
        "plan.refused_n": Text("不能接入", "refused"),
        "plan.length": Text("新建管线", "new pipe"),
        "plan.pumps": Text("泵站", "pumps"),
        "plan.cost": Text("估算造价", "estimated cost"),
        "plan.range": Text("{low} ～ {high}", "{low} to {high}"),
        "plan.proof": Text(
            "下界 {bound}：任何方案都不会低于它。本方案最多比最优高 {gap}%。",
            "Lower bound {bound}: no plan can cost less. This one is at most {gap}% above the best possible.",
        ),
        "plan.proof_none": Text("这次没有得到可证明的差距。", "No gap could be certified this time."),
        "plan.proof_weak": Text(
            "超过 10%：可能还有更省的线路，请复核大额管段。",
            "More than 10%: a cheaper layout may exist; look at the dearest links again.",
        ),
        "plan.seconds": Text("用时 {n} 秒", "took {n} s"),
        "plan.budget": Text("每期预算", "Budget per stage"),
        "plan.budget_unit": Text("万元", "× 10,000 CNY"),
        "plan.budget_all": Text("不限", "no limit"),
        "plan.budget_first": Text(
            "第一期：{money}，接入 {households}，{routes} 条接入管",
            "Stage 1: {money} connects {households}, {routes} links",
        ),
        "plan.budget_nothing": Text("这个预算一条也建不了。", "This budget builds no link."),
        "plan.keep": Text("按此分期保存", "Keep these stages"),
        "plan.kept": Text("分期已保存。", "The stages are kept."),
        "plan.curve": Text("资金与户数", "Households against money"),
        "plan.curve_label": Text(
            "每笔资金最多能接入的户数；圆点为第一期", "The most households each sum connects; the dot is stage 1"
        ),
        "plan.stage": Text("第 {n} 期", "Stage {n}"),
        "plan.links": Text("接入管", "Links"),
        "plan.pin": Text("必须先做", "Must do first"),
        "plan.pinned": Text("已定先做", "must do"),
        "plan.gap": Text("解决", "closes"),
        "plan.refusals": Text("不能接入的小区", "Compounds that cannot be linked"),
        "plan.no_refusals": Text("没有：每个未接入的小区都有线路。", "None: every unserved compound has a link."),
        "plan.choices": Text("标准、价格与限制", "Standard, prices, limits"),
        "plan.standard": Text("设计标准", "Design standard"),
        "plan.prices": Text("价格本", "Price book"),
        "plan.upload": Text("上传 .toml", "Upload .toml"),
        "plan.download": Text("下载", "Download"),
        "plan.uploaded": Text("已上传“{name}”。", "{name} is uploaded."),
        "plan.own": Text("上传", "uploaded"),
        "plan.forbid": Text("不得敷设的道路", "Streets no pipe may follow"),
        "plan.forbid_find": Text("按路名查找", "Find a street"),
        "plan.forbid_hint": Text(
            "管道不会沿这些道路敷设；重新规划后生效。", "No pipe follows these; takes effect when you plan again."
        ),
        "plan.forbid_none": Text("没有带路名的道路。", "No street has a name."),
        "plan.footways": Text("沿两侧人行道敷设", "Lay in the footways of both sides"),
        "plan.draw_title": Text("手绘接入管", "Links drawn by hand"),
        "plan.draw": Text("在地图上画一条", "Draw one on the map"),
        "plan.draw_hint": Text(
            "从小区画到现状检查井或管线：逐点点击，最后点“完成”。",
            "From a compound to an existing manhole or pipe: click point by point, then Done.",
        ),
        "plan.area_title": Text("不得敷设的区域", "Ground no pipe may touch"),
        "plan.area": Text("在地图上画区域", "Draw an area on the map"),
        "plan.area_hint": Text("逐点点击区域边界，最后点“完成”。", "Click along its edge, then Done."),
        "plan.draw_done": Text("完成", "Done"),
        "plan.draw_back": Text("退一点", "One point back"),
        "plan.draw_stop": Text("取消", "Cancel"),
        "plan.draw_few": Text("点数不够。", "Too few points."),
        "plan.draw_none": Text("没有。", "None."),
        "plan.draw_remove": Text("去掉", "Remove"),
        "plan.area_n": Text("区域 {n}", "Area {n}"),
        "plan.check_title": Text("手绘线核对", "The drawn link, checked"),
        "plan.checking": Text("正在核对", "Checking"),
        "plan.check_fine": Text("没有发现问题。", "Nothing is wrong with it."),
        "plan.check_drawn": Text("手绘", "Drawn"),
        "plan.check_ours": Text("方案", "Ours"),
        "plan.check_none": Text("无", "none"),
        "plan.check_length": Text("长度", "Length"),
        "plan.check_size": Text("最大管径", "Largest size"),
        "plan.check_cost": Text("估算", "Estimate"),
        "plan.check_to": Text("接入", "Joins"),
        "plan.check_accept": Text("采用并重新规划", "Accept and plan again"),
        "plan.check_drop": Text("不采用", "Discard"),
        "plan.check_swmm": Text("SWMM 校核通过", "SWMM agrees"),
        "plan.check_swmm_no": Text("SWMM 校核不一致", "SWMM does not agree"),
        "plan.ground": Text("地面模型", "Ground model"),
        "plan.ground_upload": Text("上传 GeoTIFF", "Upload GeoTIFF"),
        "plan.ground_none": Text("未上传；按检查井和地面点插值。", "None: interpolated from manholes."),
        "plan.ground_kept": Text(
            "已上传“{name}”，重新规划后生效。", "{name} is kept; it takes effect when you plan again."
        ),
        "plan.remarks": Text("需注意", "To be looked at"),
        "plan.gap_side": Text("现状缺口", "The gap"),
        "plan.link_side": Text("拟建接入管", "The link that closes it"),
        "plan.assumptions": Text("全部假设", "Every assumption"),
        "plan.exports": Text("导出", "Export"),
        "plan.export_bill": Text("工程量清单 .xlsx", "Bill of quantities .xlsx"),
        "plan.export_gpkg": Text("GeoPackage", "GeoPackage"),
        "plan.export_geojson": Text("GeoJSON", "GeoJSON"),
        "plan.export_swmm": Text("SWMM .inp", "SWMM .inp"),
        "plan.share": Text("分享给单位", "Share with a unit"),
        "plan.internal": Text(
            "含管线标高，内部资料，不进入分享链接。", "Holds pipe levels: internal, never in a share link."
        ),
        "plan.card": Text("接入管", "Link"),
        "plan.card_to": Text("接入 {node}", "joins {node}"),
        "plan.card_needs": Text("须先建：{names}", "Needs first: {names}"),
        "plan.card_shared": Text(
            "纵断面画到现状管；清单只含本接入管自己的管段。",
            "The section runs to the existing sewer; the bill holds this link's own pipes only.",
        ),
        "plan.section": Text("纵断面", "Long section"),
        "plan.bill": Text("工程量", "Bill"),
        "plan.bill_item": Text("项目", "Item"),
        "plan.bill_quantity": Text("数量", "Quantity"),
        "plan.bill_low": Text("低", "low"),
        "plan.bill_middle": Text("中（元）", "middle (CNY)"),
        "plan.bill_high": Text("高", "high"),
        "plan.bill_total": Text("合计", "Total"),
        "plan.project": Text("立项", "Make it a project"),
        "plan.project_made": Text("已立项 {id}。", "Made project {id}."),
        "plan.project_is": Text("已立项 {id}", "Project {id}"),
        "plan.project_undo": Text("撤销立项", "Take the project back"),
        "plan.project_undone": Text("已撤销立项。", "The project was taken back."),
        "plan.largest": Text("最大 DN{n}", "up to DN{n}"),
        "plan.pump_n": Text("泵站 {n} 座", "{n} pumps"),
        "plan.route_label": Text("{length}·{cost}", "{length} · {cost}"),
        "plan.legend_now": Text("第一期", "Stage 1"),
        "plan.legend_later": Text("以后各期", "Later stages"),
        "plan.legend_pipes": Text("现状管线", "Existing pipes"),
        "plan.zoom_in": Text("放大", "Zoom in"),
        "plan.zoom_out": Text("缩小", "Zoom out"),
        "plan.whole": Text("看全部接入管", "Show all links"),
        "plan.loading": Text("正在读取方案", "Reading the plan"),
        "plan.failed": Text("规划没有完成：{why}", "Planning did not finish: {why}"),
    }
)


def page_texts(lang: Lang) -> dict[str, str]:
    """Return every text in one language, by key, ready for JSON."""
    return {key: text.pick(lang) for key, text in TEXTS.items()}
