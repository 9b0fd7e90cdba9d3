"""Problems, meetings, records and photos of a small county, through the services, on a real database."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from PIL import Image

from mapapp import store
from mapapp.core.errors import ConflictError, ForbiddenError, InputError, NotFoundError
from mapapp.services import meetings, photos, problem_list, problems, records
from mapapp.services.frames import County
from mapapp.services.problem_list import Wanted
from mapapp.services.scope import Scope

CRS = "EPSG:4549"
BOSS = Scope("wang", role="administrator")
OFFICE = Scope("li", role="editor")
WATER = Scope("shui", role="editor")
GUEST = Scope("gu", role="viewer")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("problems") / "c.gpkg"
    with store.create(str(path), name="试验县", crs=CRS) as db:
        compounds = gpd.GeoDataFrame(
            {
                "compound_id": ["C1", "C2"], "name": ["东风小区", "建设小区"], "street": ["东街", "西街"],
                "households": [10, None], "owner_unit": ["住建局", "水务公司"], "status": ["managed", "started"],
            },
            geometry=[shapely.box(500_000 + 300 * i, 3_400_000, 500_100 + 300 * i, 3_400_080) for i in range(2)], crs=CRS,
        )  # fmt: skip
        db.apply(db.compare("compounds", compounds, "add"), by="t")
        held = pd.DataFrame(
            {
                "ticket_id": ["WT2022-001", "WT2022-002", "WT2022-003"], "compound_id": ["C1", "C1", "C2"],
                "category": ["water", "power", "water"], "status": ["open", "closed", "in_progress"],
                "description": ["李四 13612345678 反映漏水", "停电", "水压低"],
                "lead_unit": ["住建局", "供电公司", "住建局"], "co_units": ["街道;水务公司", None, None],
                "due": ["2022-01-01", "2022-01-01", "2099-01-01"], "raised_at": ["2021-12-01"] * 3,
            }
        )  # fmt: skip
        db.apply(db.compare("problems", held, "add"), by="t")
        findings = gpd.GeoDataFrame(
            {
                "finding_id": ["F1", "F2"], "rule": ["no_main", "near_miss"], "severity": "error", "layer": ["compounds", "pipes"],
                "feature_id": ["C2", "P1"], "message": ["无主管", "差 0.4 m"], "fix": ["新建", "补测"], "status": "open",
            },
            geometry=[shapely.Point(500_350, 3_400_040), shapely.Point(500_000, 3_400_000)], crs=CRS,
        )  # fmt: skip
        db.replace_derived({"findings": findings}, by="t")
        db.users.add("shui", "a-long-password", "editor", unit="水务公司")
        db.users.add("li", "a-long-password", "editor")
    return path


def ids(county: County, **wanted: str) -> list[str]:
    return [r["ticket_id"] for r in problem_list.listed(county.at(BOSS), Wanted(**wanted), "zh")["rows"]]


# ------------------------------------------------------------------------------------------------------------- the list


def test_filters_narrow_each_other(county):
    """A unit counts wherever it is named; what is settled is hidden unless asked for."""
    assert ids(county) == ["WT2022-001", "WT2022-003"]
    assert ids(county, state="all", category="water", street="西街") == ["WT2022-003"]
    assert ids(county, unit="水务公司") == ["WT2022-001"]
    assert ids(county, state="overdue") == ["WT2022-001"]
    assert ids(county, state="settled", text="停电") == ["WT2022-002"]
    assert ids(county, compound="C2", status="open") == []


def test_a_new_problem_gets_the_next_number_and_is_checked(county):
    """Numbers of removed problems are not given again; category and description are needed; dates must be in order."""
    first = problems.create(county, OFFICE, {"category": "gas", "description": "漏气"}, today="2022-05-01")
    assert first == "WT2022-004"
    problems.remove(county, OFFICE, first)
    assert (
        problems.create(county, OFFICE, {"category": "gas", "description": "漏气"}, today="2022-05-01") == "WT2022-005"
    )
    for wrong in (
        {"category": "gas"},
        {"category": "nonsense", "description": "x"},
        {"category": "gas", "description": "x", "compound_id": "C9"},
        {"category": "gas", "description": "x", "raised_at": "2022-05-01", "due": "2022-04-30"},
        {"category": "gas", "description": "x", "colour": "red"},
        {"category": "gas", "description": "长" * 5000},
    ):
        with pytest.raises(InputError):
            problems.create(county, OFFICE, wrong)
    assert len(ids(county, state="all")) == 4


def test_a_viewer_reads_without_phone_numbers_and_changes_nothing(county):
    """Free text loses phone numbers, in the list, on the page and in the history."""
    problems.edit(county, BOSS, "WT2022-001", {"description": "李四 13612345678 又反映"})
    view = county.at(GUEST)
    told = repr(problems.one(view, "WT2022-001", "zh")) + repr(problem_list.listed(view, Wanted(), "zh"))
    assert "13612345678" not in told
    for act in (
        lambda: problems.create(county, GUEST, {"category": "gas", "description": "x"}),
        lambda: problems.edit(county, GUEST, "WT2022-001", {"status": "closed"}),
        lambda: problems.from_finding(county, GUEST, "F1"),
        lambda: problems.remove(county, GUEST, "WT2022-001"),
        lambda: meetings.start(county, GUEST, {}),
        lambda: records.save(county, GUEST, "utilities", "C1", {"owner": "x"}),
        lambda: photos.add(county, GUEST, "problems", "WT2022-001", picture()),
    ):
        with pytest.raises(ForbiddenError):
            act()


def test_an_editor_of_a_unit_changes_what_names_the_unit(county):
    """Theirs is where the unit leads, helps or owns; the rest they only see."""
    problems.edit(county, WATER, "WT2022-001", {"status": "in_progress"})
    with pytest.raises(ForbiddenError, match="水务公司"):
        problems.edit(county, WATER, "WT2022-003", {"status": "in_progress"})
    seen = {t: problems.one(county.at(WATER), t, "zh")["may_edit"] for t in ("WT2022-001", "WT2022-003")}
    assert seen == {"WT2022-001": True, "WT2022-003": False}


def test_the_second_of_two_editors_is_told_what_changed(county):
    """Nothing of the first one's work is lost, and the message names the column."""
    version = problems.one(county.at(BOSS), "WT2022-003", "zh")["problem"]["row_version"]
    problems.edit(county, BOSS, "WT2022-003", {"due": "2023-01-01"}, expected=version)
    with pytest.raises(ConflictError, match="wang"):
        problems.edit(county, OFFICE, "WT2022-003", {"due": "2024-01-01"}, expected=version)
    assert problems.one(county.at(BOSS), "WT2022-003", "zh")["problem"]["due"] == "2023-01-01"


def test_a_change_can_be_taken_back_but_not_a_whole_import_by_one_row(county):
    """Undo of one's own change restores the value; the import that brought three rows is refused."""
    problems.edit(county, BOSS, "WT2022-003", {"status": "resolved"})
    told = problems.one(county.at(BOSS), "WT2022-003", "zh")["history"]
    assert [(e["kind"], e["alone"]) for e in told] == [("change", True), ("add", False)]
    assert told[0]["cells"] == [{"label": "整改状态", "before": "整改中", "after": "已解决"}]
    problems.undo(county, BOSS, "WT2022-003", told[0]["edit_id"])
    assert problems.one(county.at(BOSS), "WT2022-003", "zh")["problem"]["status"] == "in_progress"
    with pytest.raises(InputError, match="3"):
        problems.undo(county, BOSS, "WT2022-003", told[1]["edit_id"])
    with pytest.raises(NotFoundError):
        problems.undo(county, BOSS, "WT2022-001", told[0]["edit_id"])
    assert len(ids(county, state="all")) == 3


def test_closing_says_what_was_done(county):
    """Without a measure or a note there is no closing; the note is kept with its date."""
    with pytest.raises(InputError):
        problems.edit(county, BOSS, "WT2022-003", {"status": "closed"})
    problems.edit(county, BOSS, "WT2022-003", {"status": "closed"}, note="换了泵", today="2022-11-20")
    row = problems.one(county.at(BOSS), "WT2022-003", "zh")["problem"]
    assert (row["status"], row["measure"]) == ("closed", "2022-11-20 销号：换了泵")


# ----------------------------------------------------------------------------------------------------------- from a gap


def test_a_gap_becomes_one_problem_and_closes_with_it(county):
    """Pressed twice it is the same problem; the finding is confirmed, then fixed, and a new audit keeps that."""
    ticket, made = problems.from_finding(county, BOSS, "F1", today="2022-11-20")
    assert (ticket, made) == ("WT-F1", True)
    assert problems.from_finding(county, BOSS, "F1") == (ticket, False)
    assert county.db.read("findings", ids=["F1"])["status"].tolist() == ["confirmed"]
    row = problems.one(county.at(BOSS), ticket, "zh")["problem"]
    assert (row["compound_id"], row["category"], row["description"]) == ("C2", "sewer_main_missing", "无主管")
    lon, lat = map(float, row["location"].split(","))
    assert lon == pytest.approx(120.00366, abs=1e-4)
    assert 30 < lat < 31
    assert row["at"] == f"18/{lat:.5f}/{lon:.5f}"
    done = problems.edit(county, BOSS, ticket, {"status": "closed"}, note="已建主管")
    assert done["finding_id"] == "F1"
    again = county.db.read("findings")
    county.db.replace_derived({"findings": again.assign(status="open")}, by="t")
    kept = county.db.read("findings", ids=["F1"])
    assert (kept["status"].item(), kept["note"].item()) == ("fixed", "已建主管")


def test_a_problem_outlives_its_finding(county):
    """When a later audit no longer finds the gap, the problem stays and can be closed."""
    ticket, _ = problems.from_finding(county, BOSS, "F2")
    county.db.replace_derived({"findings": county.db.read("findings").iloc[:1]}, by="t")
    assert problems.one(county.at(BOSS), ticket, "zh")["finding"] is None
    assert "finding_id" not in problems.edit(county, BOSS, ticket, {"status": "closed"})
    with pytest.raises(NotFoundError):
        problems.from_finding(county, BOSS, "F2")


# ------------------------------------------------------------------------------------------------------------- meetings


def test_a_decision_stands_in_the_minutes_and_on_the_problem(county):
    """Status and due date change with it; the meeting links what it dealt with, also when a later one does too."""
    one = meetings.start(county, OFFICE, {"held_on": "2022-11-22"})
    two = meetings.start(county, OFFICE, {"held_on": "2022-11-29", "title": "专题会"})
    assert (one, two) == ("DD2022-11", "DD2022-11-2")
    meetings.remark(county, OFFICE, one, {"remarks": "抓紧。"})
    meetings.decide(county, OFFICE, one, "WT2022-001", decision="水务\n十日内修", values={"due": "2022-12-02"})
    meetings.decide(county, OFFICE, two, "WT2022-001", decision="再催", values={"status": "escalated"})
    assert county.db.read("meetings", ids=[one])["minutes"].item() == "抓紧。\n【WT2022-001】水务 十日内修"
    row = problems.one(county.at(BOSS), "WT2022-001", "zh")["problem"]
    assert (row["due"], row["status"], row["meeting_id"]) == ("2022-12-02", "escalated", two)
    found = meetings.one(county.at(BOSS), one, "zh")
    assert [(i["ticket_id"], i["decision"]) for i in found["items"]] == [
        ("WT2022-001", "水务 十日内修"),
        ("WT2022-003", ""),
    ]
    paper = meetings.paper(county.at(BOSS), one, "minutes")
    name, body = paper.name, paper.body
    assert name.endswith("纪要.docx")
    assert body.startswith(b"PK")


def test_a_decision_on_a_changed_problem_leaves_no_trace(county):
    """The second is told; neither problem nor minutes hold half of it."""
    meeting = meetings.start(county, OFFICE, {"held_on": "2022-11-22"})
    problems.edit(county, BOSS, "WT2022-001", {"due": "2022-12-01"})
    with pytest.raises(ConflictError):
        meetings.decide(county, OFFICE, meeting, "WT2022-001", decision="x", values={"due": "2023-01-01"}, expected=1)
    assert county.db.read("meetings", ids=[meeting])["minutes"].isna().all()


def test_remarks_written_over_others_are_told(county):
    """The second, who read the old remarks, is told the new ones and nothing of theirs is overwritten; decisions stay."""
    meeting = meetings.start(county, OFFICE, {"held_on": "2022-11-22"})
    meetings.remark(county, OFFICE, meeting, {"remarks": "抓紧。", "remarks_seen": ""})
    with pytest.raises(ConflictError, match="抓紧"):
        meetings.remark(county, BOSS, meeting, {"remarks": "另议。", "remarks_seen": ""})
    meetings.remark(county, BOSS, meeting, {"remarks": "抓紧。另议。", "remarks_seen": "抓紧。"})
    assert county.db.read("meetings", ids=[meeting])["minutes"].item() == "抓紧。另议。"


def test_the_agenda_is_as_of_the_meetings_day(county):
    """What was found later is not on it; overdue is reckoned on that day, not today."""
    early = meetings.start(county, OFFICE, {"held_on": "2021-12-15"})
    late = problems.create(county, OFFICE, {"category": "gas", "description": "x", "raised_at": "2022-02-02"})
    found = meetings.one(county.at(BOSS), early, "zh")
    assert found["overdue"] == 0
    assert late not in [i["ticket_id"] for i in found["items"]]
    with pytest.raises(NotFoundError):
        meetings.one(county.at(BOSS), "nothing", "zh")


def test_the_chair_is_for_editors(county):
    """A name is personal data."""
    meetings.start(county, OFFICE, {"held_on": "2022-11-22", "chair": "张三"})
    assert "张三" in repr(meetings.listed(county.at(OFFICE)))
    assert "张三" not in repr(meetings.listed(county.at(GUEST)))


# --------------------------------------------------------------------------------------------------------------- photos


def picture(size: tuple[int, int] = (40, 30), *, exif: bool = True) -> io.BytesIO:
    image = Image.new("RGB", size, (200, 30, 30))
    data = Image.Exif()
    if exif:
        data[0x0132] = "2022:11:05 10:11:12"
        data[0x010F] = "SECRETPHONE"
        data[0x0112] = 6  # lying on its side
        data.get_ifd(0x8825)[2] = (30.0, 15.0, 0.0)  # latitude
    out = io.BytesIO()
    image.save(out, "JPEG", exif=data)
    return io.BytesIO(out.getvalue())


def test_a_photo_is_written_anew_upright_and_without_metadata(county):
    """No EXIF, no GPS, no maker; the day it was taken is all that is kept, and the name says nothing."""
    kept = photos.add(county, BOSS, "problems", "WT2022-001", picture(), stage="before", caption="井盖")
    assert (kept["taken_on"], kept["width_px"], kept["height_px"]) == ("2022-11-05", 30, 40)
    assert "file" not in kept
    files = list(photos.folder(county).iterdir())
    assert len(files) == 1
    assert "WT2022" not in files[0].name
    body = files[0].read_bytes()
    assert b"SECRETPHONE" not in body
    with Image.open(io.BytesIO(body)) as image:
        assert image.format == "JPEG"
        assert not image.getexif()
    assert photos.path(county, BOSS, kept["photo_id"]) == files[0]
    assert photos.listed(county, BOSS, "problems", "WT2022-001") == [kept]


@pytest.mark.parametrize("body", [b"", b"no picture", b"\xff\xd8\xff\xe0" + b"\0" * 40, b"GIF89a" + b"\0" * 20])
def test_what_is_no_photo_is_refused_and_leaves_nothing(county, body):
    """One sentence, no file, no row."""
    with pytest.raises(InputError):
        photos.add(county, BOSS, "problems", "WT2022-001", io.BytesIO(body))
    assert not photos.folder(county).exists()
    assert not len(county.db.read("photos"))


def png(width: int, height: int) -> io.BytesIO:
    """Return a black PNG that is small as a file, whatever its size in pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    rows = zlib.compress(bytes((width + 7) // 8 + 1) * min(height, 100))
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


@pytest.mark.parametrize("side", [7_800, 10_000, 30_000, 200_000])
def test_a_picture_of_too_many_pixels_is_one_sentence_however_many(county, side):
    """Pillow warns, then raises an error of its own, then one of another kind: none of them may reach the page."""
    with pytest.raises(InputError):
        photos.add(county, BOSS, "problems", "WT2022-001", png(side, side))


def test_of_several_photos_all_are_kept_or_none(county):
    """The sentence names the file that cannot be read; the good one before it is not kept either."""
    given = [("a.jpg", picture()), ("坏.jpg", io.BytesIO(b"MZ"))]
    with pytest.raises(InputError) as raised:
        photos.add_all(county, BOSS, "problems", "WT2022-001", given)
    assert raised.value.message("zh").startswith("坏.jpg：")
    with pytest.raises(InputError, match="None of these was kept"):
        photos.add_all(county, BOSS, "problems", "WT2022-001", [("a.jpg", picture())] * (photos.MOST + 1))
    assert photos.listed(county, BOSS, "problems", "WT2022-001") == []


def test_large_photos_shrink_and_bombs_are_refused(county):
    """At most 1920 px on the longer side; a picture of 100 million pixels is not even decoded."""
    kept = photos.add(county, BOSS, "problems", "WT2022-001", picture((4000, 1000), exif=False))
    assert (kept["width_px"], kept["height_px"], kept["taken_on"]) == (1920, 480, None)
    bomb = io.BytesIO()
    Image.new("1", (10_001, 10_000)).save(bomb, "PNG")
    with pytest.raises(InputError):
        photos.add(county, BOSS, "problems", "WT2022-001", io.BytesIO(bomb.getvalue()))


def test_photos_are_for_editors_and_go_for_good(county):
    """A viewer gets neither list nor file; a removed photo's file is gone, and there are not too many."""
    kept = photos.add(county, BOSS, "problems", "WT2022-001", picture())
    assert photos.listed(county, GUEST, "problems", "WT2022-001") == []
    with pytest.raises(ForbiddenError):
        photos.path(county, GUEST, kept["photo_id"])
    photos.remove(county, BOSS, kept["photo_id"])
    assert list(photos.folder(county).iterdir()) == []
    with pytest.raises(NotFoundError):
        photos.path(county, BOSS, kept["photo_id"])
    many = pd.DataFrame(
        {"photo_id": [f"p{i}" for i in range(photos.MOST)], "layer": "problems", "feature_id": "WT2022-001"}
    )
    county.db.apply(county.db.compare("photos", many, "add"), by="t")
    with pytest.raises(InputError, match=str(photos.MOST)):
        photos.add(county, BOSS, "problems", "WT2022-001", picture())


def test_a_photo_row_from_elsewhere_cannot_point_outside_the_folder(county):
    """A file name in an imported table is a name, never a path."""
    county.db.insert("photos", {"photo_id": "x", "layer": "problems", "file": "../c.gpkg"}, by="t")
    with pytest.raises(NotFoundError):
        photos.path(county, BOSS, "x")
