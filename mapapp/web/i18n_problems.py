"""This module holds the texts of problems, meetings, records of a compound and the reply to a share."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mapapp.core.text import Lang, Text

CARD: Mapping[str, Text] = MappingProxyType(
    {
        "card.to_problem": Text("转为问题", "Make it a problem"),
        "card.is_problem": Text("已列为问题", "On the list of problems"),
        "card.problem_closed": Text("问题已销号", "The problem is closed"),
        "card.problem_made": Text("已列入问题清单。", "It is on the list of problems."),
        "card.undo_decision": Text("撤销上一次决定", "Undo the last decision"),
        "card.undone": Text("已撤销。", "Undone."),
    }
)
"""What the map's card says of problems; its script receives it with the map's texts."""

_LIST: dict[str, Text] = {
    "nav.problems": Text("问题清单", "Problems"),
    "nav.meeting": Text("调度会", "Meetings"),
    "problems.title": Text("问题清单", "Problems"),
    "problems.lead": Text(
        "改造中要人拍板、要单位办理的事：谁牵头、何时办结、办到哪一步。超期的排在最前。",
        "What somebody has to decide or do: who leads, by when, how far it is. Overdue ones come first.",
    ),
    "problems.new": Text("新增问题", "New problem"),
    "problems.none": Text(
        "还没有问题。点“新增问题”，或在一张图的缺口卡片上点“转为问题”。",
        "No problems yet. Press New problem, or Make it a problem on a gap's card on the map.",
    ),
    "problems.none_fit": Text("没有符合条件的问题。", "No problem fits."),
    "problems.count": Text("{n} 个问题", "{n} problems"),
    "problems.state.open": Text("未办结", "Not settled"),
    "problems.state.overdue": Text("超期", "Overdue"),
    "problems.state.settled": Text("已办结", "Settled"),
    "problems.state.all": Text("全部", "All"),
    "problems.id": Text("编号", "No."),
    "problems.what": Text("问题", "Problem"),
    "problems.where": Text("小区", "Compound"),
    "problems.category": Text("类别", "Category"),
    "problems.status": Text("状态", "Status"),
    "problems.unit": Text("单位", "Unit"),
    "problems.lead_unit": Text("牵头单位", "Lead unit"),
    "problems.street": Text("街道", "Street office"),
    "problems.due": Text("时限", "Due"),
    "problems.any": Text("全部", "All"),
    "problems.search": Text("文字", "Words"),
    "problems.filter": Text("筛选", "Filter"),
    "problems.clear": Text("清除筛选", "Clear"),
    "problems.late": Text("超期 {n} 天", "{n} days late"),
    "problems.left": Text("还剩 {n} 天", "{n} days left"),
    "problems.today": Text("今天到期", "due today"),
    "problems.no_due": Text("未定时限", "no due date"),
    "problems.no_unit": Text("未定牵头单位", "no lead unit"),
    "problems.no_text": Text("未写明情况", "not described"),
    "problems.by_unit": Text("各单位", "By unit"),
    "problems.total": Text("合计", "Total"),
    "problems.edit": Text("修改", "Change"),
    "problems.save": Text("保存", "Save"),
    "problems.add": Text("列入清单", "Add to the list"),
    "problems.choose": Text("请选择", "choose"),
    "problems.on_map": Text("在图上看", "On the map"),
    "problems.compound_page": Text("小区页", "Compound"),
    "problems.records": Text("小区档案", "Records"),
    "problems.from_gap": Text(
        "由数据检查的缺口转入；销号时缺口一并办结。",
        "Made from a gap of the audit; closing it closes the gap.",
    ),
    "problems.gap_gone": Text("原来的缺口已不在检查结果中。", "The gap is no longer among the findings."),
    "problems.still_found": Text(
        "问题已办结，但最近一次数据检查仍能发现这个缺口：请核对管网数据，再重新检查。",
        "The problem is settled, yet the latest audit still finds the gap: bring the sewer data up to date and audit again.",
    ),
    "problems.decisions": Text("对缺口的决定", "Decisions on the gap"),
    "problems.close": Text("销号", "Close"),
    "problems.close_note": Text("销号说明：做了什么，谁核的", "What was done, and who checked it"),
    "problems.escalate": Text("提请领导组", "Escalate"),
    "problems.escalate_hint": Text("办不动的，提请领导组协调。", "What is stuck goes to the leading group."),
    "problems.photos": Text("照片", "Photos"),
    "problems.photos_hint": Text(
        "整改前后各一张最好。位置等信息会自动去掉；只有编辑人员能看到，分享里没有。",
        "One before and one after is best. Place and camera data are removed; only editors see photos, shares never carry them.",
    ),
    "problems.photo_add": Text("上传照片", "Add photos"),
    "problems.photo_remove": Text("删除照片", "Remove the photo"),
    "problems.photo_for_good": Text("删除后不能恢复。", "It cannot be brought back."),
    "problems.photo_kept": Text("照片已保存。", "Photos kept."),
    "problems.photo_none": Text("还没有照片。", "No photos yet."),
    "problems.stage.before": Text("整改前", "before"),
    "problems.stage.after": Text("整改后", "after"),
    "problems.stage.site": Text("现场", "on site"),
    "problems.history": Text("修改记录", "History"),
    "problems.history_none": Text("没有修改过。", "Nothing changed yet."),
    "problems.kind.add": Text("新增", "added"),
    "problems.kind.change": Text("修改", "changed"),
    "problems.kind.remove": Text("删除", "removed"),
    "problems.undo": Text("撤销", "Undo"),
    "problems.undone": Text("已撤销。", "Undone."),
    "problems.undoes": Text("撤销修改 {n}", "undoes change {n}"),
    "problems.saved": Text("已保存。", "Saved."),
    "problems.closed_too": Text("已销号，对应缺口一并办结。", "Closed, and its gap with it."),
    "problems.added": Text("已列入清单。", "It is on the list."),
    "problems.remove": Text("删除这条问题", "Remove this problem"),
    "problems.removed": Text("已删除，可在修改记录里找回。", "Removed; the history keeps it."),
    "problems.conflict": Text(
        "您填的内容都还在下面。核对后再保存，就以您的为准。",
        "What you typed is still below. Check it and save again to make it count.",
    ),
    "problems.empty_value": Text("空", "empty"),
    "problems.facts": Text("情况", "Facts"),
    "problems.not_yours": Text("这条问题不属于您的单位，只能查看。", "This is another unit's; you may only look."),
    "problems.age": Text("提出 {n} 天", "{n} days old"),
    "problems.place_hint": Text("如 105.16773,26.15943，或文字", "such as 105.16773,26.15943, or words"),
    "problems.list_hint": Text("多个用分号隔开", "semicolons between several"),
}

_MEETING: dict[str, Text] = {
    "meeting.title": Text("调度会", "Dispatch meetings"),
    "meeting.lead": Text(
        "按超期、按单位逐条过，边说边记；议程和纪要随时生成。",
        "Overdue first, unit by unit, noted while people talk; agenda and minutes at any time.",
    ),
    "meeting.new": Text("新开一次会", "New meeting"),
    "meeting.none": Text("还没有会议。在下面新开一次。", "No meetings yet. Start one below."),
    "meeting.date": Text("日期", "Date"),
    "meeting.name": Text("会议名称（可不填）", "Title (optional)"),
    "meeting.name_is": Text("会议名称", "Title"),
    "meeting.chair": Text("主持人（可不填）", "Chair (optional)"),
    "meeting.start": Text("开始", "Start"),
    "meeting.open": Text("进入", "Open"),
    "meeting.decisions": Text("议定", "Decided"),
    "meeting.agenda": Text("议程", "Agenda"),
    "meeting.minutes": Text("纪要", "Minutes"),
    "meeting.back": Text("所有会议", "All meetings"),
    "meeting.previous": Text("上一条", "Previous"),
    "meeting.next": Text("下一条", "Next"),
    "meeting.full": Text("全屏", "Full screen"),
    "meeting.place": Text("{i} / {n}", "{i} / {n}"),
    "meeting.overdue": Text("超期 {n} 个", "{n} overdue"),
    "meeting.all": Text("共 {n} 个", "{n} in all"),
    "meeting.unit": Text("单位", "Unit"),
    "meeting.every_unit": Text("所有单位", "All units"),
    "meeting.decision": Text("议定事项", "Decision"),
    "meeting.decision_hint": Text("谁、何时、办到什么程度", "Who, by when, to what point"),
    "meeting.note": Text("记下", "Note it"),
    "meeting.noted": Text("已记入纪要。", "It is in the minutes."),
    "meeting.unsaved": Text("还没有记下", "not noted yet"),
    "meeting.empty": Text("没有要研究的问题：都办结了。", "Nothing to deal with: everything is settled."),
    "meeting.measure": Text("措施", "Measure"),
    "meeting.remarks": Text("总体要求（写入纪要）", "General remarks (go into the minutes)"),
    "meeting.save": Text("保存", "Save"),
    "meeting.keys": Text(
        "← → 翻页，F 全屏，D 写决定，Ctrl+Enter 记下", "← → to turn, F full screen, D decide, Ctrl+Enter to note"
    ),
    "meeting.list": Text("列表", "List"),
}

_RECORDS: dict[str, Text] = {
    "records.title": Text("小区档案", "Records"),
    "records.lead": Text(
        "管线权属、群众意见、设计变更、检查和长效管理，都在这一页填。",
        "Utilities, opinions, design changes, inspections and management, all kept on this page.",
    ),
    "records.choose": Text("选择小区", "Choose a compound"),
    "records.open": Text("打开", "Open"),
    "records.add": Text("添加", "Add"),
    "records.save": Text("保存", "Save"),
    "records.remove": Text("删除", "Remove"),
    "records.removed": Text("已删除。", "Removed."),
    "records.bring_back": Text("找回", "Bring back"),
    "records.gone": Text("最近删除", "Removed lately"),
    "records.history": Text("修改记录", "History"),
    "records.none": Text("还没有记录。", "Nothing here yet."),
    "records.saved": Text("已保存。", "Saved."),
    "records.unasked": Text("还没有征询：", "Not asked yet:"),
    "records.another": Text("再加一家：", "One more owner:"),
    "records.owner": Text("单位名称", "Owner"),
    "records.all_asked": Text("各专业都已登记。", "Every kind of pipe and cable is entered."),
    "records.rates": Text("参与率和同意率", "Participation and consent"),
    "records.participation": Text("参与率", "Participation"),
    "records.consent": Text("同意率", "Consent"),
    "records.satisfaction": Text("满意率", "Satisfaction"),
    "records.counted": Text("按登记的意见", "From these opinions"),
    "records.ledger": Text("台账", "Ledger"),
    "records.votes": Text("{votes} 户表态 / {households} 户", "{votes} votes of {households} households"),
    "records.agreed": Text("{agree} / {votes} 同意", "{agree} of {votes} agree"),
    "records.rates_note": Text(
        "一条意见按一户计；建议、咨询不计入表态。",
        "One opinion counts as one household; suggestions and questions are no votes.",
    ),
    "records.relapse": Text("反弹：{items}", "Relapsed: {items}"),
    "records.relapse_hint": Text(
        "由“回头看”检查自动标记；整改完成或再查合格后自动取消。改造状态不变。",
        "Set by a look back; taken away once it is put right. The renovation status stays.",
    ),
    "records.personal": Text("含个人信息，仅编辑人员可见", "personal data, editors only"),
    "records.yes": Text("是", "yes"),
    "records.no": Text("否", "no"),
    "records.edit": Text("修改", "Change"),
    "records.unsaved": Text("有未保存的修改", "unsaved changes"),
    "records.to_page": Text("小区页", "Compound page"),
}

_REPLY: dict[str, Text] = {
    "reply.title": Text("提意见", "Your opinion"),
    "reply.lead": Text(
        "写给改造专班。提交后不会显示在这里，也不会公开。",
        "For the renovation office. It is not shown here afterwards, and never published.",
    ),
    "reply.compound": Text("小区", "Compound"),
    "reply.stance": Text("态度", "Stance"),
    "reply.topic": Text("关于什么", "About"),
    "reply.text": Text("意见（最多 {n} 字）", "Opinion (at most {n} characters)"),
    "reply.phone": Text("联系电话（可不填，只用于回复）", "Phone (optional, only to answer you)"),
    "reply.send": Text("提交", "Send"),
    "reply.sent": Text("已收到，谢谢。", "Received, thank you."),
    "reply.another": Text("再提一条", "Another one"),
    "reply.back": Text("回到地图", "Back to the map"),
    "shares.reply": Text("可提意见（居民填写，只有编辑人员能看到）", "With a reply field (only editors see replies)"),
}

PAGES: Mapping[str, Text] = MappingProxyType(_LIST | _MEETING | _RECORDS | _REPLY)
"""What templates and scripts of these pages say."""

TEXTS: Mapping[str, Text] = MappingProxyType({**PAGES, **CARD})
"""Every text of these pages, by key."""

_FOR_SCRIPTS = (
    "meeting.place", "meeting.noted", "meeting.unsaved", "records.unsaved", "problems.photo_for_good",
)  # fmt: skip


def page_texts(lang: Lang) -> dict[str, str]:
    """Return what the scripts of these pages say, in one language, by key."""
    from mapapp.web.i18n_map import TEXTS as MAP

    shared = ("close", "error.offline", "error.server", "error.forbidden", "error.missing", "error.gone")
    return {key: TEXTS[key].pick(lang) for key in _FOR_SCRIPTS} | {key: MAP[key].pick(lang) for key in shared}
