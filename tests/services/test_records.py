"""Records of a compound: one form for all tables, checked by the schema; who may change them; relapse; opinions by share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from mapapp import store
from mapapp.core import schema
from mapapp.core.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from mapapp.services import forms, records, replies
from mapapp.services.frames import County
from mapapp.services.scope import Scope, ShareSpec

CRS = "EPSG:4549"
BOSS = Scope("wang", role="administrator")
WATER = Scope("shui", role="editor")
GUEST = Scope("gu", role="viewer")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("records") / "c.gpkg"
    with store.create(str(path), name="试验县", crs=CRS) as db:
        compounds = gpd.GeoDataFrame(
            {"compound_id": ["C1", "C2"], "name": ["东风小区", "建设小区"], "street": ["东街", "西街"], "households": [4, None],
             "owner_unit": ["住建局", "水务公司"], "status": ["managed", "started"]},
            geometry=[shapely.box(500_000 + 300 * i, 3_400_000, 500_100 + 300 * i, 3_400_080) for i in range(2)], crs=CRS,
        )  # fmt: skip
        buildings = gpd.GeoDataFrame(
            {"building_id": ["B1"], "compound_id": ["C1"], "building_no": ["1号楼"], "leader": ["王五"],
             "leader_phone": ["13700001111"]}, geometry=[shapely.box(500_010, 3_400_010, 500_030, 3_400_020)], crs=CRS,
        )  # fmt: skip
        db.apply(db.compare("compounds", compounds, "add"), by="t")
        db.apply(db.compare("buildings", buildings, "add"), by="t")
        db.users.add("shui", "a-long-password", "editor", unit="水务公司")
    return path


def rows(county: County, table: str, compound: str = "C1", scope: Scope = BOSS) -> list[dict[str, object]]:
    return records.listed(county.at(scope), table, compound)


@pytest.mark.parametrize("table", records.TABLES)
def test_every_table_has_a_form_from_the_schema(table):
    """A field per column with label, kind and choices; keys are never asked for; personal ones only of editors."""
    form = {f["name"]: f for f in forms.fields(table, "zh", personal=True)}
    assert schema.layer(table).key not in form
    assert all(f["label"] and (f["kind"] != "enum" or f["codes"]) for f in form.values())
    public = {f["name"] for f in forms.fields(table, "en", personal=False)}
    assert public == set(form) - schema.layer(table).personal


@pytest.mark.parametrize(
    ("table", "column", "raw", "stored"),
    [
        ("design_changes", "cost_delta_wan", "-1,234.5", -1234.5),
        ("design_changes", "approved_by", ["业主", "设计", "业主"], "业主;设计"),
        ("design_changes", "date", "2022-02-28", "2022-02-28"),
        ("management", "maintenance_fund", "false", False),
        ("management", "fee", " ", None),
        ("opinions", "text", "第一行\r\n第二行", "第一行\n第二行"),
        ("buildings", "floors", "6", 6),
    ],
)
def test_what_is_typed_becomes_what_is_stored(table, column, raw, stored):
    """Numbers, dates, lists, yes and no; an empty field is missing."""
    assert forms.parse(table, {column: raw}) == {column: stored}


@pytest.mark.parametrize(
    ("table", "column", "raw", "where"),
    [
        ("design_changes", "cost_delta_wan", "很多", "增减造价"),
        ("design_changes", "cost_delta_wan", "nan", "增减造价"),
        ("design_changes", "date", "2022-02-30", "变更日期"),
        ("design_changes", "reason", "because", "变更原因"),
        ("management", "inspection_score", "101", "考核得分"),
        ("buildings", "floors", "6.5", "层数"),
        ("opinions", "reply", "长" * 4001, "答复"),
        ("opinions", "nothing", "1", "nothing"),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_its_label(table, column, raw, where):
    """One sentence that names the field."""
    with pytest.raises(InputError) as told:
        forms.parse(table, {column: raw})
    assert told.value.where == where


def test_the_utility_matrix_tells_who_was_not_asked(county):
    """Each kind of pipe and cable is missing until an owner is entered for it."""
    kinds = [code for code, _ in records.page(county.at(BOSS), "C1", "zh")["unasked"]]
    assert kinds == ["water", "sewage", "power", "telecom", "broadcasting", "gas", "heat", "lighting"]
    records.save(county, BOSS, "utilities", "C1", {"owner": "移动公司", "kind": "telecom", "asked_on": "2022-03-01"})
    assert "telecom" not in [code for code, _ in records.page(county.at(BOSS), "C1", "zh")["unasked"]]
    assert rows(county, "utilities", "C2") == []


def test_change_conflict_removal_and_bringing_back(county):
    """The second editor is told; a removed record comes back with all it held."""
    made = records.save(county, BOSS, "utilities", "C1", {"owner": "甲", "kind": "gas"})
    records.save(county, BOSS, "utilities", "C1", {"answer": "agreed"}, record=made, expected=1)
    with pytest.raises(ConflictError):
        records.save(county, BOSS, "utilities", "C1", {"answer": "refused"}, record=made, expected=1)
    records.remove(county, BOSS, "utilities", "C1", made, expected=2)
    assert rows(county, "utilities") == []
    (gone,) = records.removed(county.at(BOSS), "utilities", "C1")
    records.undo(county, BOSS, "utilities", "C1", gone["id"], gone["edit_id"])
    (back,) = rows(county, "utilities")
    assert (back["owner"], back["answer"]) == ("甲", "agreed")
    assert records.removed(county.at(BOSS), "utilities", "C1") == []


def test_an_unknown_table_compound_or_record_is_not_found(county):
    """Other tables have no records page, whatever is asked for; nothing typed is nothing stored."""
    for act in (
        lambda: rows(county, "pipes"),
        lambda: records.page(county.at(BOSS), "C9", "zh"),
        lambda: records.save(county, BOSS, "utilities", "C9", {"owner": "x"}),
        lambda: records.save(county, BOSS, "utilities", "C2", {"owner": "x"}, record="nothing"),
    ):
        with pytest.raises(NotFoundError):
            act()
    with pytest.raises(InputError):
        records.save(county, BOSS, "utilities", "C1", {"owner": " "})
    with pytest.raises(InputError):
        records.save(county, BOSS, "buildings", "C1", {"floors": "3"})


def test_an_editor_of_a_unit_keeps_its_compounds_and_its_own_lines(county):
    """The unit that renovates a compound edits its records; another one only lines that it owns."""
    theirs = records.save(county, BOSS, "utilities", "C1", {"owner": "水务公司", "kind": "water"})
    other = records.save(county, BOSS, "utilities", "C1", {"owner": "燃气公司", "kind": "gas"})
    records.save(county, WATER, "utilities", "C1", {"answered_on": "2022-03-05"}, record=theirs)
    records.save(county, WATER, "inspections", "C2", {"kind": "safety", "result": "passed"})
    for act in (
        lambda: records.save(county, WATER, "utilities", "C1", {"answer": "agreed"}, record=other),
        lambda: records.save(county, WATER, "management", "C1", {"mode": "none"}),
        lambda: records.remove(county, WATER, "utilities", "C1", other),
    ):
        with pytest.raises(ForbiddenError):
            act()


def test_people_are_for_editors(county):
    """A viewer gets neither building leaders nor who said what, in no row, form or history."""
    records.save(
        county, BOSS, "opinions", "C1", {"text": "噪声大", "person": "赵六", "phone": "13900002222", "stance": "agree"}
    )
    records.save(county, BOSS, "buildings", "C1", {"leader": "钱七"}, record="B1")
    assert "钱七" in repr(records.page(county.at(BOSS), "C1", "zh"))
    view = county.at(GUEST)
    told = repr(records.page(view, "C1", "zh"))
    told += "".join(repr(records.history(view, t, str(r[schema.layer(t).key]), "zh"))
                    for t in ("opinions", "buildings") for r in records.listed(view, t, "C1"))  # fmt: skip
    for secret in ("王五", "钱七", "13700001111", "赵六", "13900002222", "噪声大"):
        assert secret not in told
    assert records.page(view, "C1", "zh")["rates"]["votes"] == 1


def test_a_look_back_raises_the_relapse_flag_and_takes_it_away(county):
    """What was found is the flag, with date and score; the renovation status stays; put right, the flag goes."""
    found = {
        "kind": "look_back",
        "result": "rectify",
        "items": "飞线又乱，楼道占道",
        "held_on": "2022-11-02",
        "score": "61",
    }
    made = records.save(county, BOSS, "inspections", "C1", found)
    (flag,) = rows(county, "management")
    assert (flag["relapse_items"], flag["inspection_date"], flag["inspection_score"]) == ("飞线;占道", "2022-11-02", 61)
    assert records.page(county.at(BOSS), "C1", "zh")["relapse"] == "飞线;占道"
    assert county.db.read("compounds", ids=["C1"])["status"].item() == "managed"
    records.save(county, BOSS, "inspections", "C1", {"rectified_on": "2022-11-20"}, record=made)
    assert rows(county, "management")[0]["relapse_items"] is None
    records.save(county, BOSS, "inspections", "C2", {"kind": "safety", "result": "stopped", "items": "飞线"})
    assert rows(county, "management", "C2") == []


# ----------------------------------------------------------------------------------------------------- opinions by share

NOON = datetime(2022, 11, 20, 12, 0, tzinfo=UTC)
GOOD = {"compound_id": "C1", "stance": "disagree", "text": "不要停水 13911112222", "topic": "B01"}


def share(**more: object) -> Scope:
    return Scope("居民", share=ShareSpec(filters={"compounds.street": ("东街",)}, **{"reply": True, **more}))


def test_an_opinion_from_a_share_is_kept_and_never_told_back(county):
    """It is open, came by share, and no question that the share may ask holds a word of it."""
    view = county.at(share())
    replies.take(view, 7, GOOD, "zh", now=NOON)
    (kept,) = rows(county, "opinions")
    assert (kept["status"], kept["channel"], kept["stance"], kept["topic"]) == ("open", "share", "disagree", "B01")
    assert county.at(share()).layers == ["compounds"]
    assert "不要停水" not in repr(replies.offer(county.at(share()), "zh"))
    assert county.db.history("opinions")["by"].unique().tolist() == ["share:7"]


@pytest.mark.parametrize(
    "wrong",
    [{"compound_id": "C2"}, {"compound_id": ""}, {"stance": "shout"}, {"topic": "<script>"}, {"text": "长" * 501},
     {"stance": "ask", "text": ""}, {"phone": "1" * 31}],
)  # fmt: skip
def test_an_opinion_that_does_not_fit_is_refused(county, wrong):
    """Above all one about a compound that the share does not hold; nothing is stored."""
    with pytest.raises(InputError):
        replies.take(county.at(share()), 7, {**GOOD, **wrong}, "zh", now=NOON)
    assert not len(county.db.read("opinions"))


def test_only_a_share_with_a_reply_field_takes_opinions(county):
    """A user or another share has no such field."""
    for scope in (share(reply=False), BOSS):
        with pytest.raises(NotFoundError):
            replies.take(county.at(scope), 7, GOOD, "zh", now=NOON)


def test_a_share_takes_so_many_opinions_an_hour_and_a_day(county):
    """A script is stopped; another share, and the next hour, are not."""
    county.db.set_setting(
        "replies.7", {"hour": "2022-11-20T12", "in_hour": replies.PER_HOUR - 1, "day": "2022-11-20", "in_day": 30}
    )
    replies.take(county.at(share()), 7, GOOD, "zh", now=NOON)
    with pytest.raises(replies.BusyError):
        replies.take(county.at(share()), 7, GOOD, "zh", now=NOON)
    replies.take(county.at(share()), 8, GOOD, "zh", now=NOON)
    replies.take(county.at(share()), 7, GOOD, "zh", now=NOON + timedelta(hours=1))
    county.db.set_setting("replies.7", {"day": "2022-11-20", "in_day": replies.PER_DAY})
    with pytest.raises(replies.BusyError):
        replies.take(county.at(share()), 7, GOOD, "zh", now=NOON + timedelta(hours=2))
    assert len(county.db.read("opinions")) == 3


def test_rates_come_from_votes(county):
    """Participation of four households, consent of those who voted."""
    for stance in ("agree", "agree", "disagree", "suggest"):
        records.save(county, BOSS, "opinions", "C1", {"stance": stance, "text": "x"})
    told = records.page(county.at(BOSS), "C1", "zh")["rates"]
    assert (told["participation_pct"], told["consent_pct"]) == (75.0, 66.7)


def test_the_history_speaks_in_words(county):
    """Yes and no, codes and units as people say them, for editors and viewers alike."""
    records.save(county, BOSS, "management", "C1", {"mode": "none", "cleaning": "false"})
    records.save(county, BOSS, "management", "C1", {"mode": "state_owned", "cleaning": "true"}, record="C1")
    for scope in (BOSS, GUEST):
        told = records.history(county.at(scope), "management", "C1", "zh")[0]["cells"]
        assert [(c["label"], c["before"], c["after"]) for c in told] == [
            ("管理模式", "无物业", "国有物业"), ("卫生保洁制度", "否", "是"),
        ]  # fmt: skip
