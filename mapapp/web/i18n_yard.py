"""This module holds the texts of the yard, the report and the one page of a compound, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mapapp.core.text import Lang, Text

_YARD: dict[str, Text] = {
    "nav.yard": Text("院内核查", "In the yard"),
    "yard.title": Text("院内核查", "In the yard"),
    "yard.map": Text("一张图", "Map"),
    "yard.online": Text("在线", "online"),
    "yard.offline": Text("无信号，先存在手机里", "no signal, kept on the phone"),
    "yard.pending": Text("待发 {n} 条", "{n} to send"),
    "yard.sent_all": Text("都已发送", "all sent"),
    "yard.sketch": Text("四周的检查井，上方为北", "Manholes around, north up"),
    "yard.where": Text("我在哪里", "Where am I"),
    "yard.locating": Text("正在定位…", "Locating…"),
    "yard.located": Text("定位精度 ±{m} 米", "position ± {m} m"),
    "yard.denied": Text(
        "没有定位。请允许浏览器使用位置，或在下面选小区。",
        "No position. Allow the browser to use it, or choose a compound below.",
    ),
    "yard.insecure": Text(
        "此地址不是 https，浏览器不给定位。请在下面选小区。",
        "This address is not https, so the browser gives no position. Choose a compound below.",
    ),
    "yard.compound": Text("小区", "Compound"),
    "yard.nearest": Text("离我最近", "Nearest to me"),
    "yard.places": Text("候选接入井", "Candidate inlets"),
    "yard.none": Text(
        "没有待核查的检查井：没有未接入的小区，或还没有运行数据检查。",
        "No manholes to look for: no compound without a sewer, or the audit has not run yet.",
    ),
    "yard.no_pack": Text(
        "手机里还没有数据。有信号时打开一次本页。",
        "There is no data on this phone yet. Open this page once with signal.",
    ),
    "yard.distance": Text("{m} 米", "{m} m"),
    "yard.underfoot": Text("脚下", "right here"),
    "yard.rank": Text("{name} 的第 {n} 候选", "candidate {n} for {name}"),
    "yard.inlet": Text("{name} 的接户井", "inlet of {name}"),
    "yard.mark": Text("现场看到什么？", "What is there?"),
    "yard.photo": Text("拍照", "Photo"),
    "yard.photo_again": Text("重拍", "Again"),
    "yard.photo_bad": Text("这张图片打不开，请重拍。", "This picture cannot be opened; take another."),
    "yard.note": Text("备注（可不填）", "Note (optional)"),
    "yard.save": Text("保存", "Save"),
    "yard.choose": Text("先选一口井", "Choose a manhole first"),
    "yard.choose_mark": Text("先选看到了什么", "Choose what you see first"),
    "yard.saved": Text("已存在手机里。", "Kept on the phone."),
    "yard.sent": Text("{id} 已发送：{found}。", "{id} sent: {found}."),
    "yard.sent_later": Text(
        "{id} 已发送；后来另有核查，以后来的为准。", "{id} sent; a later visit is known, and that one counts."
    ),
    "yard.drafts": Text("待发送", "To send"),
    "yard.send": Text("立即发送", "Send now"),
    "yard.delete": Text("删除", "Delete"),
    "yard.login": Text(
        "登录已过期。草稿还在；请登录后再发。", "You are logged out. The drafts are kept; log in to send."
    ),
    "yard.login_link": Text("去登录", "Log in"),
    "yard.viewer": Text("您只能查看，不能记录。", "You may look, but not record."),
    "yard.newer": Text("数据检查之后又有 {n} 处新的现场记录。", "{n} newer marks than the audit knows."),
    "yard.audit": Text("重新检查", "Run the audit again"),
    "yard.auditing": Text("正在检查… {n}%", "Auditing… {n}%"),
    "yard.audited": Text("检查完成，结论已更新。", "Done; the verdicts are up to date."),
    "yard.audit_failed": Text("检查没有完成。", "The audit did not finish."),
    "yard.last": Text("{date} 核查：{found}", "{date}: {found}"),
    "yard.storage": Text("这台手机不允许保存草稿。", "This phone does not allow drafts to be kept."),
    "yard.forget": Text("清除本机数据", "Clear this phone"),
    "yard.forget_ask": Text(
        "清除手机里的井位和草稿？未发送的会丢失。", "Clear manholes and drafts? Unsent ones are lost."
    ),
    "yard.forgotten": Text("已清除。", "Cleared."),
    "yard.compass": Text("北,东北,东,东南,南,西南,西,西北", "N,NE,E,SE,S,SW,W,NW"),
    "yard.age": Text("数据截至 {date}", "data as of {date}"),
}

_REPORT: dict[str, Text] = {
    "nav.report": Text("汇报与图纸", "Report and maps"),
    "report.title": Text("汇报与图纸", "Report and maps"),
    "report.lead": Text(
        "每个数字都取自所选快照；取不到的印成“{mark}”，绝不编造。",
        "Every figure comes from the chosen snapshot; one that is not known is printed as “{mark}”, never invented.",
    ),
    "report.snapshot": Text("数据", "Data"),
    "report.newest": Text("最新快照", "newest snapshot"),
    "report.live": Text("当前数据（未冻结）", "live data (not frozen)"),
    "report.show": Text("查看", "Show"),
    "report.docx": Text("下载汇报 .docx", "Report .docx"),
    "report.xlsx": Text("下载附表 .xlsx", "Annex .xlsx"),
    "report.years": Text("各年度数字", "Figures by year"),
    "report.year": Text("年度", "Year"),
    "report.compounds": Text("小区", "Compounds"),
    "report.area": Text("建筑面积（万㎡）", "Floor area (10⁴ m²)"),
    "report.buildings": Text("楼栋", "Buildings"),
    "report.households": Text("住户", "Households"),
    "report.invest": Text("总投资（万元）", "Investment (10⁴ CNY)"),
    "report.started": Text("已启动", "Started"),
    "report.completed": Text("已完工", "Completed"),
    "report.in_year": Text("当年完工", "In the year"),
    "report.lacking": Text("缺 {n} 个", "{n} missing"),
    "report.missing": Text("还缺这些数字", "Not known yet"),
    "report.nothing_missing": Text("没有缺的数字。", "Nothing is missing."),
    "report.text": Text("汇报正文", "The text"),
    "report.template": Text("县里的说法", "The county's own words"),
    "report.template.own": Text("正在用本县的模板。", "The county's own template is in use."),
    "report.template.shipped": Text("正在用自带的模板。", "The shipped template is in use."),
    "report.template.hint": Text(
        "下载后用记事本改文字，再传回来；花括号里的名称不要改。",
        "Download it, change the words in an editor, send it back; keep the names in braces.",
    ),
    "report.template.get": Text("下载模板", "Download the template"),
    "report.template.file": Text("改好的模板（.toml）", "Changed template (.toml)"),
    "report.template.keep": Text("启用", "Use it"),
    "report.template.back": Text("恢复自带模板", "Back to the shipped one"),
    "report.template.kept": Text("模板已更换。", "The template was changed."),
    "report.sheet": Text("图纸", "Map sheets"),
    "report.sheet.what": Text("范围", "Extent"),
    "report.sheet.county": Text("全县", "the whole county"),
    "report.sheet.window": Text("或窗口：西,南,东,北（经纬度）", "or a window: W,S,E,N in degrees"),
    "report.sheet.paper": Text("纸张", "Paper"),
    "report.sheet.scale": Text("比例尺", "Scale"),
    "report.sheet.fit": Text("放得下的最大", "largest that fits"),
    "report.sheet.maker": Text("制图单位", "Made by"),
    "report.sheet.pdf": Text("下载 PDF", "PDF"),
    "report.sheet.png": Text("下载 PNG", "PNG"),
    "report.making": Text("正在生成…", "Making it…"),
    "report.made": Text("已下载。", "Downloaded."),
}

_PAGE: dict[str, Text] = {
    "onepage.title": Text("一区一案", "One page"),
    "onepage.edit": Text("填写记录", "Edit the records"),
    "onepage.problems": Text("问题", "Problems"),
    "onepage.map": Text("位置", "Where"),
    "onepage.sewer": Text("污水接入", "Sewer"),
    "onepage.no_verdict": Text("还没有运行数据检查。", "The audit has not run yet."),
    "onepage.candidates": Text("候选接入井", "Candidate inlets"),
    "onepage.manhole": Text("检查井", "Manhole"),
    "onepage.length": Text("长度", "Length"),
    "onepage.fall": Text("可用 / 需要落差", "Fall available / needed"),
    "onepage.gravity": Text("自流", "By gravity"),
    "onepage.link": Text("拟建接入管", "Planned link"),
    "onepage.link_line": Text("{length} 米，DN{dn}，约 {cost} 万元", "{length} m, DN{dn}, about CNY {cost} × 10⁴"),
    "onepage.pump": Text("需提升", "pumped"),
    "onepage.facts": Text("基本情况", "Facts"),
    "onepage.funds": Text("资金来源", "Funding"),
    "onepage.total": Text("合计", "Total"),
    "onepage.works": Text("改造内容", "Works"),
    "onepage.done": Text("已完成", "done"),
    "onepage.planned": Text("计划", "planned"),
    "onepage.photos": Text("照片", "Photos"),
    "onepage.history": Text("变更记录", "History"),
    "onepage.findings": Text("检查出的问题", "Findings"),
    "onepage.none": Text("未登记", "not recorded"),
    "onepage.more": Text("另有 {n} 条", "{n} more"),
    "onepage.overdue": Text("超期", "overdue"),
    "onepage.stage.before": Text("整改前", "before"),
    "onepage.stage.after": Text("整改后", "after"),
    "onepage.stage.site": Text("现场", "site"),
    "onepage.sheet": Text("图纸 PDF", "Map sheet PDF"),
    "onepage.no_place": Text(
        "没有位置。导入小区边界后会出现在图上。", "No place. Import its outline to see it on the map."
    ),
    "onepage.internal": Text("内部资料  注意保管", "Internal. Keep safe."),
}

TEXTS: Mapping[str, Text] = MappingProxyType(_YARD | _REPORT | _PAGE)
"""Every text of these pages, by key."""


def page_texts(lang: Lang) -> dict[str, str]:
    """Return these texts and those that all pages' scripts use, in one language, by key."""
    from mapapp.web import i18n_map

    return i18n_map.page_texts(lang) | {key: text.pick(lang) for key, text in TEXTS.items()}
