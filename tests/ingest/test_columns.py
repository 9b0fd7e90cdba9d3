"""Names are matched by the dictionary; what is only similar is proposed and not applied."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapapp import ingest
from mapapp.core import schema
from mapapp.core.errors import InputError
from mapapp.ingest.columns import match_columns, normalise, unit_of


def mapped(layer: str, **columns: list[object]) -> dict[str, str]:
    found, _ = match_columns(pd.DataFrame(columns), schema.layer(layer), None, place="f")
    return {ours: m.theirs for ours, m in found.items()}


@pytest.mark.parametrize("name", ["管径", " 管径（mm） ", "管 径", "管径(MM)", "管_径"])
def test_width_case_brackets_and_blanks_do_not_matter(name: str) -> None:
    assert normalise(name) == "管径"


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("建筑面积（万㎡）", "万m2"),
        ("总投资(亿元)", "亿元"),
        ("管径(mm)", "mm"),
        ("投资（单位：万元） › 中央", "万元"),
        ("Investment (10,000 yuan)", "万元"),
        ("Cost, RMB million", ""),
        ("Cost (RMB million)", "百万元"),
        ("Floor area in sqm", "m2"),
        ("县(市、区)", ""),
        ("面积", ""),
    ],
)
def test_units_are_read_from_headers(header: str, unit: str) -> None:
    assert unit_of(header) == unit


def test_names_cut_at_ten_bytes_are_known() -> None:
    found = mapped("pipes", PIPE_CATEG=["WS"], INVERT_UPS=[1.0], 终点管底标=[1.0], DOWNSTREAM=[1.0])
    assert found == {
        "kind": "PIPE_CATEG",
        "from_invert_m": "INVERT_UPS",
        "to_invert_m": "终点管底标",
    }  # DOWNSTREAM is two


@pytest.mark.parametrize("layer", [n for n, made in schema.layers().items() if not made.derived])
def test_each_name_of_the_dictionary_finds_its_column(layer: str) -> None:
    """Alone in a file, with words of its own; a name that two columns share goes to one of the two."""
    declared = schema.layer(layer)
    owners: dict[str, set[str]] = {}
    for column in declared.columns:
        if not column.name.endswith("_wan_m2"):  # square metres are its home
            for name in column.aliases:
                owners.setdefault(normalise(name), set()).add(column.name)
    for column in declared.columns:
        words = [code.value for code in column.codes] or ["2021", "2022"]
        for name in column.aliases:
            if normalise(name) in owners:
                (found,) = mapped(layer, **{name: words})
                assert found in owners[normalise(name)], name


def test_an_english_ledger_needs_no_choosing() -> None:
    """Names, years, money, dates and the sewer's answer as an English table heads them."""
    heads = {
        "Compound": "name", "Year": "programme_year", "Street": "street", "Buildings": "buildings",
        "Households": "households", "Floor area (sqm)": "floor_area_m2", "Investment (10,000 yuan)": "invest_total_wan",
        "Start date": "start_actual", "Completion date": "finish_actual", "Sewer connection": "sewer_connection",
    }  # fmt: skip
    found = mapped("ledger", **{head: ["1", "2"] for head in heads})
    assert {theirs: ours for ours, theirs in found.items()} == heads


def test_of_two_candidates_the_one_whose_words_we_know_is_taken() -> None:
    found = mapped("pipes", Type=["3", "13", "3"], SystemType=["Wastewater", "Combined", "Wastewater"])
    assert found["kind"] == "SystemType"


def test_of_two_keys_the_distinct_one_is_taken() -> None:
    assert mapped("pipes", 管线编号=["a", "a", "a"], GLOBALID=["x", "y", "z"])["pipe_id"] == "GLOBALID"


def test_the_number_of_a_house_within_its_compound_is_no_key_of_the_county() -> None:
    assert mapped("buildings", 楼号=["1", "2", "3"]) == {"building_no": "楼号"}
    assert mapped("buildings", 楼栋编号=["a", "b"], 楼号=["1", "2"])["building_id"] == "楼栋编号"


def test_a_similar_name_is_proposed_and_not_applied() -> None:
    applied, proposals = match_columns(
        pd.DataFrame({"管线编号": ["a"], "设计管径尺寸": [300]}), schema.layer("pipes"), None, place="f"
    )
    assert "diameter_mm" not in applied
    assert proposals["diameter_mm"].theirs == "设计管径尺寸"
    assert proposals["diameter_mm"].sure < 1


def test_what_is_not_used_is_listed_with_samples(samples: dict[str, Path]) -> None:
    reading = ingest.read(samples["pipes.gpkg"], "pipes", columns={"material": ""})
    assert reading.unmapped == {"材质": ("PVC", "砼", "砖")}
    assert "material" not in reading.frame


def test_constants_can_be_given(samples: dict[str, Path]) -> None:
    frame = ingest.read(samples["pipes.gpkg"], "pipes", columns={"kind": "=合流", "ownership": "=市政"}).frame
    assert set(frame["kind"]) == {"combined"}
    assert set(frame["ownership"]) == {"市政"}


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["pipe_id", "kind", "diameter_mm"]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    )
)
def test_a_saved_mapping_comes_back(tmp_path_factory: pytest.TempPathFactory, mapping: dict[str, str]) -> None:
    path = tmp_path_factory.mktemp("m") / "m.toml"
    try:
        ingest.save_mapping(mapping, path)
        assert ingest.load_mapping(path) == mapping
    finally:
        path.unlink()


def test_a_mapping_of_a_reading_reads_the_file_again(samples: dict[str, Path], tmp_path: Path) -> None:
    first = ingest.read(samples["pipes.gpkg"], "pipes")
    ingest.save_mapping(first.mapping, tmp_path / "m.toml")
    again = ingest.read(samples["pipes.gpkg"], "pipes", columns=ingest.load_mapping(tmp_path / "m.toml"))
    pd.testing.assert_frame_equal(pd.DataFrame(first.frame), pd.DataFrame(again.frame))
    assert {m.how for m in again.mapping.values()} == {"confirmed"}


@pytest.mark.parametrize("text", ["", "a = 1", "[columns]\nkind = 3", "[columns", "\ud800"])
def test_a_mapping_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError):
        ingest.load_mapping(tmp_path / "m.toml")
