"""This module gives pages their words: it finds the asker's language and the text for a key."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType

from flask import Request, g, request

from mapapp.core.text import LANGS, Lang, Text
from mapapp.core.text import instant as written

COOKIE = "lang"

TEXTS: Mapping[str, Text] = MappingProxyType(
    {
        "login.title": Text("登录", "Log in"),
        "login.name": Text("用户名", "User name"),
        "login.password": Text("密码", "Password"),
        "login.submit": Text("登录", "Log in"),
        "login.hint": Text(
            "账号由管理员建立。忘记密码请联系管理员。",
            "An administrator makes accounts. If you forgot the password, ask them.",
        ),
        "logout": Text("退出", "Log out"),
        "error.title": Text("这里出了点问题", "Something is not right here"),
        "error.title.403": Text("没有权限", "Not allowed"),
        "error.title.404": Text("没有找到", "Not found"),
        "error.back": Text("回到一张图", "Back to the map"),
        "error.ours": Text(
            "这是程序的问题，数据没有改动。请把编号 {number} 告诉管理员。",
            "This is our fault; no data was changed. Please give the administrator the number {number}.",
        ),
        "share.gate.title": Text("请输入访问码", "Enter the pass code"),
        "share.gate.hint": Text(
            "访问码由发送链接的人另行告知。", "The person who sent you the link told you the pass code separately."
        ),
        "share.gate.code": Text("访问码", "Pass code"),
        "share.gate.submit": Text("打开", "Open"),
        "share.over.title": Text("链接已失效", "This link is over"),
        "share.over.hint": Text("请联系发送人重新获取。", "Please ask the sender for a new one."),
        "shares.title": Text("分享链接", "Share links"),
        "shares.none": Text(
            "还没有分享。在一张图上点“分享”，或在下面建立。",
            "No shares yet. Press Share on the map, or make one below.",
        ),
        "shares.new": Text("新建分享", "New share"),
        "shares.made": Text(
            "链接已生成。只显示这一次，请立即复制。", "The link is made. It is shown only this once; copy it now."
        ),
        "shares.recipient": Text("接收单位", "Recipient"),
        "shares.kind": Text("类型", "Kind"),
        "shares.kind.public": Text("公开链接（不含管线，轮廓模糊）", "Public link (no pipes, coarse outlines)"),
        "shares.kind.unit": Text("单位链接（本单位的管线与问题）", "Unit link (that unit's pipes and problems)"),
        "shares.unit": Text("单位名称（与权属单位一致）", "Unit name (as in the ownership column)"),
        "shares.layers": Text("图层", "Layers"),
        "shares.days": Text("有效天数", "Days valid"),
        "shares.code": Text("访问码（可不填）", "Pass code (optional)"),
        "shares.moment": Text("数据", "Data"),
        "shares.snapshot": Text("固定在此刻（快照）", "Fixed as of now (snapshot)"),
        "shares.live": Text("随数据更新", "Follows the data"),
        "shares.gaps": Text("含“污水待接入”标记", "With “waiting for a sewer”"),
        "shares.investment": Text("含投资", "With investment"),
        "shares.photos": Text(
            "含本单位问题的照片（仅单位链接；可能有人像）",
            "With photos of their problems (unit links only; they may show faces)",
        ),
        "shares.levels": Text("含埋深与标高（仅单位链接）", "With depths and levels (unit links only)"),
        "shares.download": Text("允许下载表格（仅单位链接）", "Tables may be downloaded (unit links only)"),
        "shares.embed": Text("可嵌入的网站（可不填）", "Sites that may embed it (optional)"),
        "shares.create": Text("生成链接", "Make the link"),
        "shares.revoke": Text("撤销", "Revoke"),
        "shares.kind.public.short": Text("公开", "public"),
        "shares.kind.unit.short": Text("单位", "unit"),
        "shares.link": Text("链接", "Link"),
        "shares.fixed": Text("快照", "snapshot"),
        "shares.more": Text("还包含", "Also with"),
        "list.comma": Text("、", ", "),
        "list.colon": Text("：", ": "),
        "shares.state": Text("状态", "State"),
        "shares.state.open": Text("有效", "open"),
        "shares.state.expired": Text("已过期", "expired"),
        "shares.state.revoked": Text("已撤销", "revoked"),
        "shares.expires": Text("有效期至", "Valid until"),
        "shares.views": Text("查看次数", "Views"),
        "shares.by": Text("建立人", "Made by"),
        "shares.wrong_codes": Text("连续输错访问码 {n} 次", "{n} wrong pass codes in a row"),
        "shares.has_code": Text("有访问码", "with a pass code"),
        "users.title": Text("用户", "Users"),
        "users.none": Text(
            "还没有用户：本机打开不用登录。", "No users yet: opened on this machine, no login is needed."
        ),
        "users.name": Text("用户名", "Name"),
        "users.role": Text("角色", "Role"),
        "users.unit": Text("单位", "Unit"),
        "users.password": Text("密码（至少 10 位）", "Password (at least 10 characters)"),
        "users.add": Text("添加用户", "Add a user"),
        "users.remove": Text("移除", "Remove"),
        "role.viewer": Text("查看", "viewer"),
        "role.editor": Text("编辑", "editor"),
        "role.administrator": Text("管理员", "administrator"),
        "import.title": Text("导入", "Import"),
        "import.hint": Text(
            "把台账、小区边界或管线普查文件拖到这里。先看清会改什么，再确认。",
            "Drop a ledger, compound outlines or a pipe survey here. See what would change first, then confirm.",
        ),
        "import.layer": Text("这是什么", "What is it"),
        "import.files": Text("文件（可多选，也可拖入）", "Files (several, or drop them)"),
        "import.crs": Text("坐标系（文件里没有时）", "CRS (when the file has none)"),
        "import.datum": Text("经纬度来自", "Longitude and latitude come from"),
        "import.datum.none": Text("文件已注明", "the file says so"),
        "import.control": Text("控制点表（本地坐标系时）", "Control points (for a local system)"),
        "import.control.hint": Text(
            "每行：点名、本地 X、本地 Y、已知 X、已知 Y。只用于换算，不保存。",
            "Each row: name, local X, local Y, known X, known Y. Used for the conversion, kept nowhere.",
        ),
        "import.encoding": Text("文字编码（可不填）", "Text encoding (optional)"),
        "import.mode": Text("已有的编号", "Ids that are already there"),
        "import.mode.add": Text("只新增，遇到不同内容则拒绝", "only add; refuse other content"),
        "import.mode.update": Text("按编号更新", "update by id"),
        "import.mode.replace": Text("替换整个图层", "replace the whole layer"),
        "import.preview": Text("预览", "Preview"),
        "import.confirm": Text("确认写入", "Confirm and write"),
        "import.cancel": Text("放弃", "Discard"),
        "import.changes": Text("将发生的变化", "What would change"),
        "import.added": Text("新增", "added"),
        "import.changed": Text("修改", "changed"),
        "import.removed": Text("删除", "removed"),
        "import.unchanged": Text("不变", "unchanged"),
        "import.mapping": Text("列的对应", "Columns recognised"),
        "import.choose": Text("每一列是什么", "What each column is"),
        "import.choose.hint": Text(
            "认得不对、没有认出的列，在这里选定，再看一次预览。",
            "Choose here where a column was taken wrongly or not at all, then look again.",
        ),
        "import.all": Text("整个文件都是", "the whole file is"),
        "import.all.none": Text("不指定", "not said"),
        "import.samples": Text("样例", "Samples"),
        "import.not_used": Text("不用", "not used"),
        "import.notes": Text("说明", "Notes"),
        "import.doubtful": Text("名称存疑的小区", "Doubtful compound names"),
        "import.differences": Text("差异", "Differences"),
        "import.done": Text("已写入。", "Written."),
        "import.our_column": Text("我们的列", "Our column"),
        "import.their_column": Text("文件中的列", "Column in the file"),
        "import.how": Text("识别方式", "How"),
        "import.unit": Text("单位", "Unit"),
        "import.sheet": Text("图层或工作表（可不填）", "Layer or sheet inside the file (optional)"),
        "import.more": Text("坐标系、编码等", "CRS, encoding and more"),
        "import.again": Text("换个方式再看", "Look again with other answers"),
        "import.kept": Text("文件已收到，无须再次上传。", "The files are here; no need to upload them again."),
        "import.other": Text("换文件", "Other files"),
        "import.refused": Text(
            "这些编号库里已有，内容不同（见下面的差异），所以不能写入。要更改，请在下面“已有的编号”里选“按编号更新”再预览：",
            "These ids are stored with other content (see the differences below), so nothing can be written. To change them, choose to update by id below and preview again:",
        ),
        "import.how.confirmed": Text("您选定的", "chosen by you"),
        "import.how.name": Text("列名相同", "same name"),
        "import.how.alias": Text("常用叫法", "known alias"),
        "import.how.proposal": Text("名称相近", "similar name"),
        "import.how.file name": Text("文件名", "file name"),
        "import.row": Text("第几条", "Record"),
        "import.in_file": Text("文件中", "In the file"),
        "import.nearest": Text("库中最接近", "Nearest stored"),
        "import.why": Text("原因", "Why"),
        "import.id": Text("编号", "Id"),
        "import.column": Text("字段", "Column"),
        "import.before": Text("原来", "Before"),
        "import.after": Text("现在", "After"),
    }
)


@cache
def _all() -> Mapping[str, Text]:
    """Return the texts of this module and of every module beside it whose name begins with ``i18n_``."""
    texts = dict(TEXTS)
    for found in pkgutil.iter_modules([str(Path(__file__).parent)], "mapapp.web."):
        if found.name.startswith("mapapp.web.i18n_"):
            texts |= importlib.import_module(found.name).TEXTS
    return texts


def t(key: str, **values: object) -> str:
    """Return the text for a key in the language of this request; an unknown key shows as itself.

    A value named ``date`` is written as people write a day (``day``): every as-of date on every page looks the same.
    """
    text = _all().get(key)
    if text is None:
        return key
    if "date" in values:
        values["date"] = day(values["date"])
    return (text.format(**values) if values else text).pick(language())


def language() -> Lang:
    """Return the language of this request."""
    found: Lang = g.get("lang") or "zh"
    return found


def choose(asked: Request, default: Lang) -> Lang:
    """Return ``?lang=``, else the cookie, else the best of Accept-Language, else ``default``."""
    for word in (asked.args.get("lang"), asked.cookies.get(COOKIE)):
        if word in LANGS:
            return "en" if word == "en" else "zh"
    best = asked.accept_languages.best_match(["zh", "zh-cn", "zh-hans", "en"])
    return default if best is None else ("en" if best == "en" else "zh")


def day(value: object) -> str:
    """Return a stored day as people write it, 2026年11月25日 or 25 Nov 2026; anything but a day stays as it is."""
    try:
        at = date.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return f"{at.day} {at:%b} {at.year}" if language() == "en" else f"{at.year}年{at.month}月{at.day}日"


def instant(moment: str | None) -> str:
    """Return a stored moment as people write it; a dash for none."""
    return written(datetime.fromisoformat(moment)).pick(language()) if moment else "—"


def asked_explicitly() -> bool:
    """Whether this request chose its language in the address."""
    return request.args.get("lang") in LANGS
