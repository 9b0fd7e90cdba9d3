"""This module holds the texts of the month, dashboard, comparison and project pages, by key, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mapapp.core.text import Text

_NAV = {
    "nav.dashboard": Text("看板", "Numbers"),
    "nav.month": Text("本月工作", "This month"),
    "nav.projects": Text("项目与内容", "Projects"),
}

_MONTH = {
    "month.title": Text("本月工作", "This month"),
    "month.lead": Text(
        "导入本月台账，看清改了什么、哪里对不上，再冻结成“截至某日”的快照。",
        "Import this month's ledger, see what changed and what does not add up, then freeze it as of a date.",
    ),
    "month.step.ledger": Text("导入台账", "Import the ledger"),
    "month.step.changes": Text("差异清单", "What changed"),
    "month.step.checks": Text("数据检查", "Checks"),
    "month.step.freeze": Text("冻结快照", "Freeze a snapshot"),
    "month.step.forms": Text("月报与上报表", "Forms"),
    "month.file": Text("本月台账（.xlsx .xls .csv，也可拖入）", "This month's ledger (.xlsx .xls .csv, or drop it)"),
    "month.as_of": Text("截至日期", "As of"),
    "month.as_of.hint": Text("可不填：从台账标题里读。", "May stay empty: it is read from the ledger's title."),
    "month.sheet": Text("工作表（可不填）", "Sheet (optional)"),
    "month.all_sheets": Text("全部工作表合在一起", "all sheets as one"),
    "month.blanks": Text("台账里留空的格子", "Cells the ledger leaves blank"),
    "month.blanks.keep": Text("保留原来的值", "keep what is stored"),
    "month.blanks.clear": Text("以台账为准，清空", "empty what is stored"),
    "month.look": Text("看差异", "Show the differences"),
    "month.confirm": Text("确认写入", "Confirm and write"),
    "month.discard": Text("放弃", "Discard"),
    "month.nothing": Text(
        "没有变化：这份台账的内容已经在库里。", "Nothing changed: the county holds all of this already."
    ),
    "month.preview": Text("预览：{file}", "Preview: {file}"),
    "month.not_written": Text("尚未写入任何数据。", "Nothing has been written yet."),
    "month.done": Text(
        "{file} 已写入：新增 {added}，修改 {changed}，不变 {unchanged}。",
        "{file} is stored: {added} added, {changed} changed, {unchanged} unchanged.",
    ),
    "month.added": Text("新增", "added"),
    "month.changed": Text("修改", "changed"),
    "month.removed": Text("删除", "removed"),
    "month.unchanged": Text("不变", "unchanged"),
    "month.compound": Text("小区", "Compound"),
    "month.field": Text("字段", "Field"),
    "month.before": Text("原来", "Before"),
    "month.after": Text("现在", "Now"),
    "month.who": Text("谁", "Who"),
    "month.when": Text("时间", "When"),
    "month.source": Text("来源", "From"),
    "month.by_hand": Text("手工修改", "by hand"),
    "month.new_row": Text("新增一行", "row added"),
    "month.gone_row": Text("删除一行", "row removed"),
    "month.more": Text("另有 {n} 处没有列出。", "{n} more are not listed."),
    "month.since": Text("自 {date} 的快照以来", "Since the snapshot as of {date}"),
    "month.since_start": Text("自建库以来", "Since the beginning"),
    "month.no_changes": Text("没有改动。", "Nothing changed."),
    "month.blanked": Text("台账里留空、库里有值的格子", "Blank in the ledger, stored in the county"),
    "month.blanked.hint": Text(
        "上月填过、本月留空：若是更正，请选“以台账为准，清空”后重新预览。",
        "Filled in before, blank now: if that mends a mistake, choose “empty what is stored” and look again.",
    ),
    "month.check": Text("检查", "Check"),
    "month.says": Text("说明", "What is wrong"),
    "month.where": Text("位置", "Where"),
    "month.written": Text("原文", "As written"),
    "month.faults": Text("{n} 处对不上", "{n} things do not add up"),
    "month.no_faults": Text(
        "全部对得上：合计、个数、单位、时间与状态。", "Everything adds up: sums, counts, units, dates and statuses."
    ),
    "month.live_checks": Text("库中现有数据", "What is stored now"),
    "month.file_checks": Text("本月台账", "This month's ledger"),
    "month.warn_only": Text(
        "只提示、不改数，也不拦着写入。", "These are told, never repaired, and do not stop the import."
    ),
    "month.notes": Text("读取说明", "Notes on reading"),
    "month.unmapped": Text("没有用到的列", "Columns not used"),
    "month.freeze": Text("冻结快照", "Freeze the snapshot"),
    "month.freeze.hint": Text(
        "快照冻结后不再变化，汇报、对比和分享都以它为准。",
        "A snapshot never changes; reports, comparisons and shares rest on it.",
    ),
    "month.snapshot_title": Text("名称（可不填）", "Title (optional)"),
    "month.frozen": Text("已冻结：截至 {date}。", "Frozen as of {date}."),
    "month.snapshots": Text("已有快照", "Snapshots"),
    "month.snapshots.none": Text("还没有快照。", "No snapshots yet."),
    "month.on_map": Text("看地图", "Map"),
    "month.numbers": Text("看数字", "Numbers"),
    "month.compare": Text("与上一期对比", "Compare with the one before"),
    "month.now": Text("现在", "now"),
    "month.last": Text("上次导入：{file}", "Imported last: {file}"),
    "month.form.download": Text("下载", "Download"),
    "month.form.of": Text("数据取自", "Figures of"),
    "month.viewer": Text(
        "您可以查看；导入和冻结需要编辑权限。", "You may look; importing and freezing need an editor."
    ),
}

_COMPARE = {
    "compare.title": Text("两期对比", "Two snapshots compared"),
    "compare.then": Text("当时", "Then"),
    "compare.now": Text("后来", "Later"),
    "compare.go": Text("对比", "Compare"),
    "compare.slider": Text("时间", "Time"),
    "compare.swipe": Text(
        "左右拖动分界线：左边是当时，右边是后来。", "Drag the line: then on the left, later on the right."
    ),
    "compare.only": Text("只看有变化的小区", "Only compounds that changed"),
    "compare.none": Text("两期没有差别。", "The two do not differ."),
    "compare.moves": Text("状态变化", "Status"),
    "compare.status": Text("状态", "Status"),
    "compare.others": Text("其他变化", "Other changes"),
    "compare.count": Text("{n} 个小区有变化", "{n} compounds changed"),
    "compare.totals": Text("合计", "Totals"),
    "compare.map": Text("两期地图对比", "Map of both states"),
    "compare.came": Text("新增小区", "new compound"),
    "compare.went": Text("不再有", "no longer there"),
    "compare.figure.compounds": Text("小区（个）", "Compounds"),
    "compare.figure.started": Text("已开工（个）", "Started"),
    "compare.figure.completed": Text("已完工（个）", "Completed"),
    "compare.figure.accepted": Text("已验收（个）", "Accepted"),
    "compare.figure.households": Text("户数", "Households"),
    "compare.figure.invest_done_wan": Text("已完成投资（万元）", "Money spent (10⁴ CNY)"),
    "compare.one": Text(
        "只有一期数据。冻结第二个快照后即可对比。", "There is one state only. Freeze a second snapshot to compare."
    ),
}

_DASHBOARD = {
    "dash.title": Text("看板", "Numbers at a glance"),
    "dash.as_of": Text("截至 {date}", "as of {date}"),
    "dash.lead": Text(
        "每个数字都能点开：到地图和表格里的那几行。", "Every figure opens the rows behind it, on map and in table."
    ),
    "dash.print": Text("打印", "Print"),
    "dash.compounds": Text("小区", "Compounds"),
    "dash.households": Text("户数", "Households"),
    "dash.buildings": Text("楼栋", "Buildings"),
    "dash.area": Text("建筑面积", "Floor area"),
    "dash.money": Text("总投资", "Investment"),
    "dash.unserved": Text("没有污水接入的户数", "Households without a sewer"),
    "dash.problems": Text("未销号问题", "Open problems"),
    "dash.unknown": Text("{n} 个小区未填", "{n} compounds not known"),
    "dash.withdrawn": Text("不含调出计划的小区。", "Compounds withdrawn from the plan are left out."),
    "dash.rates": Text("开工率、完工率", "Rates"),
    "dash.rates.hint": Text(
        "按小区数和按户数分别计算；计划会超额完成，超过 100 % 是正常的。",
        "By compounds and by households apart; over 100 % is normal where a plan is exceeded.",
    ),
    "dash.year": Text("改造年度", "Programme year"),
    "dash.all_years": Text("合计", "All"),
    "dash.planned": Text("计划", "Planned"),
    "dash.started": Text("开工", "Started"),
    "dash.completed": Text("完工", "Completed"),
    "dash.accepted": Text("验收", "Accepted"),
    "dash.in_year": Text("当年完工", "Done in the year"),
    "dash.by_compounds": Text("按小区", "by compounds"),
    "dash.by_households": Text("按户", "by households"),
    "dash.status_year": Text("各年度状态", "Status by year"),
    "dash.status_street": Text("各街道状态", "Status by street"),
    "dash.progress": Text("资金与形象进度", "Money against physical progress"),
    "dash.progress.hint": Text(
        "两者各自填报，互不推算。形象进度按建筑面积加权；只算填了数的小区。",
        "Each is reported for itself; neither is derived from the other. Progress is weighted by floor area; only compounds with a figure count.",
    ),
    "dash.money_pct": Text("完成投资", "Money spent"),
    "dash.image_pct": Text("形象进度", "Physical progress"),
    "dash.known": Text("{n} / {of} 个小区有数", "known for {n} of {of}"),
    "dash.scatter": Text("每点一个小区", "One dot per compound"),
    "dash.scatter.none": Text(
        "未完成的小区都没有同时填完成投资和形象进度，因此没有图。",
        "No compound under way has both figures, so there is no picture.",
    ),
    "dash.sewer": Text("污水接入", "Sewer connection"),
    "dash.sewer.none": Text("还没有检查结论。", "There are no verdicts yet."),
    "dash.verdict": Text("结论", "Verdict"),
    "dash.problems_unit": Text("未销号问题：责任单位与时长", "Open problems by unit and age"),
    "dash.unit": Text("责任单位", "Unit"),
    "dash.age.30": Text("30 天内", "to 30 days"),
    "dash.age.90": Text("31～90 天", "31-90 days"),
    "dash.age.old": Text("90 天以上", "over 90 days"),
    "dash.age.unknown": Text("时间不详", "date unknown"),
    "dash.overdue": Text("超期", "overdue"),
    "dash.problems.none": Text("没有未销号的问题。", "No open problems."),
    "dash.management": Text("长效管理", "Long-term management"),
    "dash.management.hint": Text("占已完工小区的比例。", "Share of the completed compounds."),
    "dash.relapsed": Text("反弹（标记，不退回状态）", "Relapsed (a flag, not a step back)"),
    "dash.no_record": Text("没有记录", "no record"),
    "dash.funding": Text("资金来源", "Funding by source"),
    "dash.funding.none": Text("没有填资金来源。", "No sources of money are recorded."),
    "dash.source": Text("来源", "Source"),
    "dash.amount": Text("万元", "10⁴ CNY"),
    "dash.unassigned": Text("总投资中未注明来源", "Investment without a source"),
    "dash.over": Text("来源之和超出总投资", "Sources exceed the investment"),
    "dash.share": Text("占比", "Share"),
    "dash.snapshot": Text("数据", "State"),
    "dash.show": Text("显示", "Show"),
    "dash.empty": Text(
        "还没有小区。先导入台账或小区范围。", "No compounds yet. Import the ledger or the compound outlines first."
    ),
    "dash.cell": Text("{label}：{n} 个小区，{households} 户", "{label}: {n} compounds, {households} households"),
}

_PROJECTS = {
    "projects.title": Text("项目与改造内容", "Projects and works"),
    "projects.lead": Text(
        "一个项目可含多个小区，一个小区也可在多个项目里；改造年度不等于完工时间。",
        "A project covers one to many compounds, and a compound may sit in several; the programme year is not the finish date.",
    ),
    "projects.name": Text("项目", "Project"),
    "projects.year": Text("年度", "Year"),
    "projects.kind": Text("类型", "Kind"),
    "projects.compounds": Text("小区", "Compounds"),
    "projects.households": Text("户数", "Households"),
    "projects.started": Text("开工", "Started"),
    "projects.completed": Text("完工", "Completed"),
    "projects.finished": Text("最后完工", "Last finish"),
    "projects.money": Text("总投资（万元）", "Investment (10⁴ CNY)"),
    "projects.shared": Text("其中 {n} 个也在别的项目", "{n} also in another project"),
    "projects.unknown": Text("{n} 个编号查无小区", "{n} ids without a compound"),
    "projects.relapsed": Text("反弹 {n}", "{n} relapsed"),
    "projects.none": Text("还没有项目。", "No projects yet."),
    "projects.outside": Text("{n} 个小区不在任何项目里", "{n} compounds are in no project"),
    "projects.twice": Text(
        "{n} 个小区在两个以上项目里，合计只算一次。",
        "{n} compounds are in several projects and count once in the total.",
    ),
    "projects.total": Text("合计（不重复）", "Total (each once)"),
    "projects.add": Text("新增项目", "Add a project"),
    "projects.edit": Text("修改", "Edit"),
    "projects.save": Text("保存", "Save"),
    "projects.cancel": Text("取消", "Cancel"),
    "projects.id": Text("项目编号", "Project id"),
    "projects.owner": Text("实施主体", "Owner"),
    "projects.pick": Text("所含小区", "Its compounds"),
    "projects.saved": Text("项目 {id} 已保存。", "Project {id} is saved."),
    "projects.history": Text("修改记录", "History"),
    "projects.undo": Text("撤销", "Undo"),
    "projects.undone": Text("已撤销。", "Undone."),
    "works.title": Text("改造内容：计划与完成", "Works planned and done"),
    "works.item": Text("改造项", "Item"),
    "works.class": Text("国家分类", "National class"),
    "works.head": Text("县四大类", "County head"),
    "works.planned": Text("计划", "Planned"),
    "works.done": Text("完成", "Done"),
    "works.none": Text(
        "还没有登记改造内容。选一个小区开始登记。", "No works are recorded yet. Choose a compound to begin."
    ),
    "works.of": Text("改造内容 · {name}", "Works · {name}"),
    "works.choose": Text("登记小区的改造内容", "Record the works of a compound"),
    "works.open": Text("打开", "Open"),
    "works.saved": Text("已保存：计划 {planned} 项，完成 {done} 项。", "Saved: {planned} planned, {done} done."),
    "works.unknown": Text("目录里没有的编号：{codes}", "Codes that are not in the catalogue: {codes}"),
}

TEXTS: Mapping[str, Text] = MappingProxyType(_NAV | _MONTH | _COMPARE | _DASHBOARD | _PROJECTS)
"""Every text of these pages."""
