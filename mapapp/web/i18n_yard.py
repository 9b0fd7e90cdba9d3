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

TEXTS: Mapping[str, Text] = MappingProxyType(_YARD)
"""Every text of these pages, by key."""


def page_texts(lang: Lang) -> dict[str, str]:
    """Return these texts and those that all pages' scripts use, in one language, by key."""
    from mapapp.web import i18n_map

    return i18n_map.page_texts(lang) | {key: text.pick(lang) for key, text in TEXTS.items()}
