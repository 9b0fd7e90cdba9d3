"""Agenda and minutes on paper: overdue first, by unit, and a problem without a decision says so."""

from __future__ import annotations

import io

import pandas as pd
from docx import Document

from mapapp.render import minutes

HEAD = minutes.Meeting("云桥县", "第3次调度例会", "2022年11月22日", "", ["抓紧。"])


def rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ticket_id": ["A", "B", "C"],
            "compound": ["向阳小区", "桥头新村", None],
            "category": ["供水", "燃气", "其他"],
            "description": ["漏水。", None, "挖断"],
            "unit": ["水务公司", "燃气公司", None],
            "due": ["2022-11-01", "2022-12-01", None],
            "status": ["整改中", "未解决", "已销号"],
            "overdue": [True, False, False],
            "days_late": pd.array([21, None, None], dtype="Int64"),
            "decision": ["十日内换管", "", "已恢复"],
        }
    )


def words(lines) -> list[str]:
    return [line.text for line in lines]


def test_the_agenda_says_how_many_are_late_and_takes_them_first():
    """Numbers follow the rows; a heading stands only over what is there."""
    told = words(minutes.agenda_lines(HEAD, rows()))
    assert "待研究问题3个，其中超期1个。" in told
    assert "1. 向阳小区，供水：漏水。时限2022年11月1日，已超期21天。" in told
    assert [w for w in told if w.endswith("问题")] == ["一、超期问题", "二、其他问题"]
    calm = words(minutes.agenda_lines(HEAD, rows()[1:]))
    assert "待研究问题2个，没有超期问题。" in calm
    assert [w for w in calm if w.endswith("问题")] == ["一、其他问题"]


def test_minutes_say_what_was_decided_and_what_was_not():
    """Silence is no decision; what is closed has no deadline any more."""
    told = words(minutes.minutes_lines(HEAD, rows()))
    assert "1. 向阳小区，供水（整改中）：十日内换管；于2022年11月1日前完成。" in told
    assert "1. 桥头新村，燃气（未解决）：本次未作决定；于2022年12月1日前完成。" in told
    assert "1. 其他（已销号）：已恢复。" in told
    assert "（三）尚未确定牵头单位" in told
    assert told[2] == "一、总体要求"


def test_both_open_as_word_papers_with_the_list_as_annex():
    """Real headings, and one row of the table per problem; an empty agenda is a paper too."""
    paper = Document(io.BytesIO(minutes.minutes(HEAD, rows())))
    assert [p.text for p in paper.paragraphs if p.style.name == "Title"] == ["第3次调度例会纪要"]
    assert [c.text for c in paper.tables[0].rows[1].cells] == [
        "1",
        "A",
        "向阳小区",
        "供水",
        "水务公司",
        "2022-11-01",
        "整改中",
    ]
    empty = Document(io.BytesIO(minutes.agenda(HEAD, rows().iloc[:0])))
    assert "目前没有未销号的问题。" in [p.text for p in empty.paragraphs]
