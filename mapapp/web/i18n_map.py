"""This module holds the texts of the map, compound and gap pages, by key, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mapapp.core.text import Lang, Text
from mapapp.web.i18n_problems import CARD

_FRAME: dict[str, Text] = {
    "page.skip": Text("跳到内容", "Skip to content"),
    "page.skip_table": Text("跳到表格", "Skip to the table"),
    "page.one_map": Text("一张图", "one map"),
    "page.pages": Text("页面", "Pages"),
    "nav.map": Text("一张图", "Map"),
    "nav.gaps": Text("缺口清单", "Sewer gaps"),
    "nav.import": Text("导入台账", "Import"),
    "nav.shares": Text("分享", "Shares"),
    "lang.switch": Text("Switch to English", "切换到中文"),
    "close": Text("关闭", "Close"),
    "retry": Text("再试一次", "Try again"),
    "unknown": Text("未知", "unknown"),
    "unknown_short": Text("?", "?"),
    "yes": Text("是", "yes"),
    "no": Text("否", "no"),
    "as_of": Text("截至 {date}", "as of {date}"),
    "as_of.label": Text("截至", "as of"),
    "as_of.now": Text("现在 {date}", "now {date}"),
    "panel.fold": Text("收起", "Fold"),
    "panel.unfold": Text("展开", "Unfold"),
    "error.offline": Text(
        "连不上服务器。请检查网络，再试一次。", "The server cannot be reached. Check the network and try again."
    ),
    "error.server": Text(
        "服务器出了错，没有改动任何数据。请再试一次。", "The server failed; nothing was changed. Please try again."
    ),
    "error.forbidden": Text(
        "您没有权限查看或修改。请登录，或联系管理员。",
        "You may not see or change this. Log in, or ask your administrator.",
    ),
    "error.missing": Text("没有找到。", "Not found."),
    "error.gone": Text(
        "这个分享已到期或已收回。请向发送人索取新链接。", "This share is over. Ask its sender for a new link."
    ),
    "empty.pipes": Text("还没有管线普查数据。", "No pipe survey yet."),
    "empty.import": Text("导入数据", "Import one"),
    "empty.compounds": Text(
        "还没有小区。先导入台账或小区范围。", "No compounds yet. Import the ledger or the compound outlines first."
    ),
    "empty.filtered": Text(
        "没有符合筛选条件的内容。放宽或清除筛选。", "Nothing fits these filters. Widen or clear them."
    ),
}

_MAP: dict[str, Text] = {
    "map.label": Text(
        "地图。方向键移动，加减号缩放，/ 键搜索。", "Map. Arrow keys pan, plus and minus zoom, slash searches."
    ),
    "map.preparing": Text("正在准备地图，稍候自动显示。", "The map is being prepared and will appear by itself."),
    "map.tiles_failed": Text(
        "服务器没能给出部分地图。数字和列表不受影响；请稍后再试。",
        "The server could not give parts of the map. Figures and list are not affected; try again later.",
    ),
    "map.tiles_lost": Text(
        "部分地图没有取到。请检查网络后再试。", "Parts of the map were not fetched. Check the network, then try again."
    ),
    "map.many": Text("此处有 {n} 项", "{n} features here"),
    "controls.title": Text("地图工具", "Map tools"),
    "controls.zoom_in": Text("放大", "Zoom in"),
    "controls.zoom_out": Text("缩小", "Zoom out"),
    "controls.home": Text("全县范围", "Whole county"),
    "controls.measure": Text("量距离和面积", "Measure distance and area"),
    "controls.full": Text("全屏", "Fullscreen"),
    "controls.locate": Text("我的位置", "Where am I"),
    "controls.scale": Text("比例尺 {m}", "Scale {m}"),
    "controls.grid": Text("{crs}，X 为北，Y 为东", "{crs}, X north, Y east"),
    "locate.none": Text("这台设备不能定位。", "This device cannot locate itself."),
    "locate.refused": Text(
        "定位被拒绝。请在浏览器设置里允许本页使用位置。",
        "Locating was refused. Allow this page to use your location in the browser's settings.",
    ),
    "locate.failed": Text("没有定位到。请到空旷处再试。", "No position found. Try again under open sky."),
    "locate.outside": Text(
        "您不在本县：离县中心约 {km} 公里，地图没有移动。",
        "You are not in this county but some {km} km from its middle; the map has not moved.",
    ),
    "locate.found": Text("已定位，误差约 {m} 米", "Located, accurate to about {m} m"),
    "measure.hint": Text(
        "在地图上点选，双击结束；用键盘：方向键移动，Enter 取十字处的点，退格撤回，Esc 退出",
        "Click on the map, double-click to end; by keyboard: arrows move, Enter sets a point at the cross, Backspace takes"
        " it back, Esc leaves",
    ),
    "measure.hint_touch": Text("在地图上逐点点按", "Tap points on the map"),
    "measure.length": Text("距离", "Distance"),
    "measure.area": Text("面积", "Area"),
    "measure.again": Text("重新量", "Start again"),
    "measure.stop": Text("结束", "Done"),
    "layers.title": Text("图层与图例", "Layers and legend"),
    "layers.tab": Text("图层", "Layers"),
    "layers.none": Text("还没有图层。", "No layers yet."),
    "layers.more": Text("还有 {n} 类", "{n} more"),
    "filters.title": Text("筛选", "Filters"),
    "filters.no_finding": Text("没有问题", "no finding"),
    "filters.clear": Text("全部清除", "Clear all"),
    "filters.remove": Text("取消筛选：{name}", "Remove filter: {name}"),
    "search.label": Text("搜索小区、街道、管线编号", "Search compounds, streets, pipe numbers"),
    "search.hint": Text("搜索小区、街道、缺口…", "Search a compound, street, gap …"),
    "search.results": Text("搜索结果", "Search results"),
    "search.none": Text("没有找到“{q}”。试试少打几个字。", "Nothing found for “{q}”. Try fewer letters."),
    "sheet.tabs": Text("面板", "Panels"),
    "sheet.low": Text("展开面板", "Raise the panel"),
    "sheet.half": Text("展开到全高", "Raise the panel to full height"),
    "sheet.full": Text("收起面板", "Lower the panel"),
}

_FACTS: dict[str, Text] = {
    "facts.title": Text("数字", "Facts"),
    "facts.tab": Text("数字", "Facts"),
    "facts.all": Text("全县", "Whole county"),
    "facts.shared": Text("分享的内容", "What is shared"),
    "facts.filtered": Text("筛选结果", "What is filtered"),
    "facts.compounds": Text("小区", "Compounds"),
    "facts.households": Text("户数", "Households"),
    "facts.area": Text("建筑面积", "Floor area"),
    "facts.buildings": Text("楼栋", "Buildings"),
    "facts.money": Text("总投资", "Investment"),
    "facts.gaps": Text("污水缺口", "Sewer gaps"),
    "facts.gap_unit": Text("个小区", "compounds"),
    "facts.not_known": Text("另有 {n} 个尚不清楚", "and {n} not known"),
    "facts.missing": Text("{n} 个未填", "{n} not stated"),
    "facts.by_status": Text("按改造状态", "By renovation status"),
    "facts.said": Text("筛选后 {n} 个小区", "{n} compounds after filtering"),
    "table.title": Text("列表", "List"),
    "table.tab": Text("列表", "List"),
    "table.rows": Text("{n} 行", "{n} rows"),
    "table.layer": Text("列表的图层", "Layer of the list"),
    "table.caption": Text(
        "筛选结果 {n} 行，截至 {date}；按回车在地图上选中",
        "{n} rows as filtered, as of {date}; Enter selects on the map",
    ),
    "table.range": Text("第 {from}–{to} 行，共 {n} 行", "{from}–{to} of {n}"),
    "table.before": Text("上一页", "Previous page"),
    "table.after": Text("下一页", "Next page"),
}

_CARD: dict[str, Text] = {
    "card.title": Text("详情", "Details"),
    "card.loading": Text("正在读取…", "Loading …"),
    "card.gone": Text("这一项已不存在，或不在当前数据里。", "This feature no longer exists in the data shown."),
    "card.year": Text("{year} 年计划", "programme {year}"),
    "card.evidence": Text("依据", "Evidence"),
    "card.more_evidence": Text("还有 {n} 条依据", "{n} more"),
    "card.candidates": Text("候选接入井", "Candidate inlets"),
    "card.inlet": Text("井号", "Manhole"),
    "card.length": Text("距离", "Length"),
    "card.fall": Text("可用/需要落差 m", "Fall: has / needs, m"),
    "card.fall_guess": Text(
        "小区出口标高未知：按最近检查井地面以下 1 米估算",
        "The outlet's level is unknown: estimated at 1 m below the ground of the nearest manhole",
    ),
    "card.fall_why": Text("可用落差与所需落差，米", "Available and required fall, metres"),
    "card.gravity": Text("自流", "Gravity"),
    "card.gravity_yes": Text("✓ 可以", "✓ yes"),
    "card.gravity_no": Text("✗ 需提升", "✗ pump"),
    "card.cost": Text("估价", "Estimate"),
    "card.findings": Text("检查结果（{n}）", "Findings ({n})"),
    "card.links": Text("拟建接入管", "Planned link"),
    "card.link_uncosted": Text("{length}，DN{dn}", "{length}, DN{dn}"),
    "card.link": Text("{length}，DN{dn}，约 {cost}", "{length}, DN{dn}, about {cost}"),
    "card.photo": Text("照片：{stage} {day}", "Photo: {stage} {day}"),
    "card.photo.before": Text("整改前", "before"),
    "card.photo.after": Text("整改后", "after"),
    "card.photo.site": Text("现场", "on site"),
    "card.problems": Text("问题（{n}）", "Problems ({n})"),
    "card.attributes": Text("全部属性", "All attributes"),
    "finding.open": Text("待确认", "open"),
    "finding.confirmed": Text("已确认", "confirmed"),
    "finding.dismissed": Text("已排除", "dismissed"),
    "finding.fixed": Text("已整改", "fixed"),
    "finding.act_confirmed": Text("确认", "Confirm"),
    "finding.act_dismissed": Text("排除", "Dismiss"),
    "finding.act_fixed": Text("已整改", "Mark fixed"),
    "finding.act_open": Text("重新打开", "Reopen"),
    "finding.note": Text("备注（可不填）", "Note (optional)"),
    "finding.note_is": Text("备注：", "Note: "),
    "finding.fix": Text("怎么办：", "What to do: "),
    "finding.reason": Text("排除需要写明理由。", "A dismissal needs its reason in the note."),
    "finding.saved": Text("已保存，下次检查会保留。", "Saved; the next audit keeps it."),
    "next.candidate": Text("查看首选接入井 {id}", "Show the first candidate, {id}"),
    "next.survey": Text("查看普查范围", "Show what was surveyed"),
    "next.page": Text("打开小区页", "Open the compound's page"),
}

_SHARE: dict[str, Text] = {
    "layers.gone": Text("没有图层“{name}”，未显示。", "There is no layer {name}; it is not shown."),
    "share.open": Text("分享", "Share"),
    "share.heading": Text("分享当前视图", "Share this view"),
    "share.what": Text("只分享这些内容：", "Shares exactly this: "),
    "share.everything": Text("未筛选，全部小区", "no filter, all compounds"),
    "share.kind": Text("给谁看", "For whom"),
    "share.public": Text("公开链接", "Public link"),
    "share.public_hint": Text(
        "不含管线、高程、人员、电话和照片；范围概略化", "No pipes, levels, people, phones or photos; rounded outlines"
    ),
    "share.unit": Text("单位链接", "Link for a unit"),
    "share.unit_hint": Text(
        "凭访问码查看，可含本单位管线，不含埋深高程", "Opens with a pass code; may hold the unit's own pipes, no depths"
    ),
    "share.layers": Text("图层", "Layers"),
    "share.columns": Text("小区字段", "Columns of compounds"),
    "share.never": Text("其余图层不会出现在这类链接里。", "Other layers never appear in this kind of link."),
    "share.title": Text("标题", "Title"),
    "share.state": Text("数据", "Data"),
    "share.snapshot": Text("固定在现在（快照）", "Fixed as it is now (snapshot)"),
    "share.live": Text("跟随更新", "Follows changes"),
    "share.state_hint": Text("快照里的数字不会在读者眼前变化", "Figures of a snapshot do not change under the reader"),
    "share.until": Text("有效期至", "Open until"),
    "share.until_is": Text("{at} 前有效", "Open until {at}"),
    "share.past": Text("有效期要晚于现在。请改一个时间。", "The end must lie in the future. Choose a later time."),
    "share.recipient": Text("接收单位", "Recipient"),
    "share.recipient_hint": Text("例如：县自来水公司", "e.g. County Water Company"),
    "share.recipient_why": Text("会作为水印显示", "Shown as a watermark"),
    "share.code": Text("访问码（可不设）", "Pass code (optional)"),
    "share.code_needed": Text("访问码（单位链接必填）", "Pass code (a unit link needs one)"),
    "share.code_hint": Text("至少 4 位，另行告知对方", "At least 4 characters; tell it separately"),
    "share.code_apart": Text("访问码请另行告知，不要和链接一起发。", "Send the pass code separately from the link."),
    "share.unit_name": Text("单位名称", "Unit"),
    "share.unit_why": Text("与管线权属单位的写法一致", "As written in the pipes' ownership"),
    "share.levels": Text("含埋深与高程", "With depths and levels"),
    "share.descriptions": Text("含问题的文字说明", "With the problems' descriptions"),
    "share.photos": Text(
        "含本单位问题的照片（可能有人像，请先看过）", "With photos of their problems (they may show faces: look first)"
    ),
    "share.download": Text("可下载本单位条目的表格", "Their items may be downloaded as a table"),
    "share.embed": Text("可嵌入的网站（可不填）", "Sites that may embed it (optional)"),
    "share.embed_hint": Text("留空则任何网站都不能嵌入", "Empty: no site may embed it"),
    "share.embed_anywhere": Text("任何网站都可嵌入", "Any site may embed it"),
    "share.embed_code": Text("嵌入代码", "Embed code"),
    "share.make": Text("生成链接", "Create the link"),
    "share.making": Text("正在生成…", "Creating …"),
    "share.done": Text("链接已生成。", "The link is ready."),
    "share.link": Text("分享链接", "Link"),
    "share.qr": Text("链接的二维码", "QR code of the link"),
    "share.copy": Text("复制", "Copy"),
    "share.copied": Text("链接已复制", "Link copied"),
    "share.look": Text("打开看看", "Look at it"),
    "share.list": Text("管理全部分享", "All shares"),
    "share.reads": Text("分享的视图，{at} 前有效", "A shared view, open until {at}"),
}

_PRINT: dict[str, Text] = {
    "print.open": Text("打印", "Print"),
    "print.title": Text("图名", "Title"),
    "print.paper": Text("纸张", "Paper"),
    "print.now": Text("打印", "Print"),
    "print.close": Text("返回地图", "Back to the map"),
    "print.legend": Text("图例", "Legend"),
    "print.north": Text("指北针，上为北", "North is up"),
    "print.about_scale": Text("约 1 : {n}", "about 1 : {n}"),
    "print.crs": Text("坐标系：{crs}；显示：Web 墨卡托", "CRS: {crs}; shown in Web Mercator"),
    "print.source": Text("数据来源：{county}老旧小区改造数据库", "Source: {county} renovation database"),
    "print.made": Text("制图日期：{date}", "Made on {date}"),
    "print.internal": Text("内部资料 注意保管", "Internal: keep safe"),
}

_PAGES: dict[str, Text] = {
    "compound.on_map": Text("在地图上看", "Show on the map"),
    "compound.print": Text("打印本页", "Print this page"),
    "history.at": Text("时间", "When"),
    "history.by": Text("谁", "Who"),
    "history.column": Text("字段", "Column"),
    "history.before": Text("原值", "Before"),
    "history.after": Text("新值", "After"),
    "gaps.title": Text("污水缺口清单", "Sewer gaps"),
    "gaps.lead": Text(
        "没有可用污水接入的小区，逐个给出结论和依据；资料缺失不等于没有管网。",
        "Compounds without a working sewer connection, each with verdict and evidence. No data is not the same as no main.",
    ),
    "gaps.all": Text("全部缺口", "All gaps"),
    "gaps.street": Text("街道", "Street"),
    "gaps.year": Text("年度", "Year"),
    "gaps.any": Text("全部", "All"),
    "gaps.verdict": Text("结论", "Verdict"),
    "gaps.compound": Text("小区", "Compound"),
    "gaps.evidence": Text("依据", "Evidence"),
    "gaps.distance": Text("最近管线", "Nearest pipe"),
    "gaps.households": Text("户数", "Households"),
    "gaps.none": Text("没有缺口：每个小区都能通到处理厂。", "No gaps: every compound reaches a plant."),
    "gaps.unaudited": Text(
        "还不知道有没有缺口：先导入小区和管线，再运行数据检查。",
        "Whether there are gaps is not known yet: import compounds and pipes, then run the audit.",
    ),
    "gaps.export": Text("导出", "Export"),
    "gaps.count": Text("{n} 个小区有缺口或尚不清楚", "{n} compounds with a gap, or not known"),
}

TEXTS: Mapping[str, Text] = MappingProxyType(_FRAME | _MAP | _FACTS | _CARD | _SHARE | _PRINT | _PAGES | dict(CARD))
"""Every text of the pages; scripts receive them as one JSON object, so no text is written twice."""


def page_texts(lang: Lang) -> dict[str, str]:
    """Return every text in one language, by key, ready for JSON."""
    return {key: text.pick(lang) for key, text in TEXTS.items()}
