"""This module lays the agenda and the minutes of a dispatch meeting out as Word papers."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mapapp.render import paper

_NUMERALS = "零一二三四五六七八九十"


@dataclass(frozen=True, slots=True)
class Line:
    """One paragraph and its place in the hierarchy."""

    style: str
    text: str


@dataclass(frozen=True, slots=True)
class Meeting:
    """What stands at the head of the paper.

    Parameters
    ----------
    county, title : str
    held_on : str
        As it is to be printed: 2022年11月22日.
    chair : str
        Empty when it is not known or not for the reader.
    remarks : sequence of str
        What was said about no single problem.
    """

    county: str
    title: str
    held_on: str
    chair: str = ""
    remarks: Sequence[str] = ()


def agenda(meeting: Meeting, problems: pd.DataFrame) -> bytes:
    """Return the agenda as .docx: overdue problems first, then the others, each by unit.

    Parameters
    ----------
    meeting : Meeting
    problems : DataFrame
        In the order they are to be taken: ``ticket_id compound category description unit due status overdue days_late
        decision``, codes as words; ``due`` an ISO date, ``overdue`` bool. Missing cells stay empty.
    """
    return _paper(list(agenda_lines(meeting, problems)), "问题清单", _annex(problems), meeting.held_on)


def agenda_lines(meeting: Meeting, problems: pd.DataFrame) -> Iterator[Line]:
    """Return the agenda's paragraphs; a heading without a problem under it is left out."""
    late = problems["overdue"].to_numpy(dtype=bool)
    yield Line("title", f"{meeting.title}议程")
    yield Line("body", f"时间：{meeting.held_on}")
    if meeting.chair:
        yield Line("body", f"主持：{meeting.chair}")
    tail = f"，其中超期{int(late.sum())}个" if late.any() else "，没有超期问题"
    yield Line("body", f"待研究问题{len(problems)}个{tail}。" if len(problems) else "目前没有未销号的问题。")
    parts = [("超期问题", problems[late]), ("其他问题", problems[~late])]
    for number, (heading, rows) in enumerate([p for p in parts if len(p[1])], start=1):
        yield Line("h1", f"{_NUMERALS[number]}、{heading}")
        yield from _by_unit(rows, lambda row: _facts(row))


def minutes(meeting: Meeting, problems: pd.DataFrame) -> bytes:
    """Return the minutes as .docx: what was decided about each problem, by unit; parameters as in `agenda`."""
    return _paper(list(minutes_lines(meeting, problems)), "本次会议研究的问题", _annex(problems), meeting.held_on)


def minutes_lines(meeting: Meeting, problems: pd.DataFrame) -> Iterator[Line]:
    """Return the paragraphs of the minutes; a problem without a decision says so, for silence is no decision."""
    yield Line("title", f"{meeting.title}纪要")
    opening = f"{meeting.held_on}，{meeting.county}召开{meeting.title}"
    chair = f"，由{meeting.chair}主持" if meeting.chair else ""
    yield Line("body", f"{opening}{chair}，研究问题{len(problems)}个。现将议定事项纪要如下：")
    number = 0
    if meeting.remarks:
        number += 1
        yield Line("h1", f"{_NUMERALS[number]}、总体要求")
        yield from (Line("body", line) for line in meeting.remarks)
    if len(problems):
        number += 1
        yield Line("h1", f"{_NUMERALS[number]}、议定事项")
        yield from _by_unit(problems, _decided)


def _by_unit(rows: pd.DataFrame, sentence: object) -> Iterator[Line]:
    assert callable(sentence)
    units = rows["unit"].fillna("").astype("str")
    for number, unit in enumerate(dict.fromkeys(units), start=1):
        yield Line("h2", f"（{_numeral(number)}）{unit or '尚未确定牵头单位'}")
        for place, row in enumerate(rows[units == unit].to_dict("records"), start=1):
            yield Line("body", f"{place}. {sentence(row)}")


def _numeral(number: int) -> str:
    if number <= 10:
        return _NUMERALS[number]
    tens, ones = divmod(number, 10)
    return f"{_NUMERALS[tens] if tens > 1 else ''}十{_NUMERALS[ones] if ones else ''}"


def _word(value: object) -> str:
    return "" if value is None or pd.isna(value) else str(value).strip()  # type: ignore[call-overload]  # any scalar


def chinese_day(iso: object) -> str:
    """Return 2022-11-05 as 2022年11月5日; empty for a missing date.

    Examples
    --------
    >>> chinese_day("2022-11-05"), chinese_day(None)
    ('2022年11月5日', '')
    """
    parts = _word(iso)[:10].split("-")
    return "".join(f"{int(part)}{unit}" for part, unit in zip(parts, "年月日", strict=False) if part)


def _facts(row: dict[str, object]) -> str:
    head = "，".join(w for w in (_word(row["compound"]), _word(row["category"])) if w)
    what = _word(row["description"]).rstrip("。；")
    due = f"时限{chinese_day(row['due'])}" if _word(row["due"]) else "未定时限"
    late = f"，已超期{_word(row['days_late'])}天" if row["overdue"] else ""
    return f"{head}：{what or '未写明情况'}。{due}{late}。" if head else f"{what or '未写明情况'}。{due}{late}。"


def _decided(row: dict[str, object]) -> str:
    head = "，".join(w for w in (_word(row["compound"]), _word(row["category"])) if w)
    decision = _word(row["decision"]).rstrip("。；")
    due = (
        f"于{chinese_day(row['due'])}前完成"
        if _word(row["due"]) and _word(row["status"]) not in ("已销号", "已解决")
        else ""
    )
    state = f"（{_word(row['status'])}）" if _word(row["status"]) else ""
    words = "；".join(w for w in (decision or "本次未作决定", due) if w)
    return f"{head}{state}：{words}。" if head else f"{words}。"


_ANNEX = {
    "ticket_id": "编号",
    "compound": "小区",
    "category": "类别",
    "unit": "牵头单位",
    "due": "时限",
    "status": "状态",
}


def _annex(problems: pd.DataFrame) -> pd.DataFrame:
    table = problems[list(_ANNEX)].copy()
    table.insert(0, "no", range(1, len(table) + 1))
    return table.rename(columns={"no": "序号"} | _ANNEX)


def _paper(lines: list[Line], annex_title: str, annex: pd.DataFrame, date: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "paper.docx"
        paper.write(lines, annex_title, annex, date, path)
        return io.BytesIO(path.read_bytes()).getvalue()
