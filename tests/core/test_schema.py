"""The schema is declared once and says what the interface promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapapp.core import dictionary, schema
from mapapp.core.errors import NotFoundError

CODES = {
    ("pipes", "kind"): "sewage storm combined other unknown",
    ("manholes", "kind"): "sewage storm combined other unknown",
    ("pipes", "flow"): "gravity pressure",
    ("pipes", "status"): "in_use abandoned empty planned under_construction",
    ("pipes", "level"): "main branch lateral internal",
    ("outlets", "facility"): "outfall wwtp pump interceptor boundary",
    ("survey_areas", "covers"): "sewage storm all",
    ("survey_areas", "laterals"): "yes no",
    ("compounds", "sewer_connection"): "connected partial not_connected septic_only discharges_to_water unknown",
    ("compounds", "status"): "surveyed reserved planned preparing started under_way completed accepted handed_over "
    "managed relapsed withdrawn",
}


@pytest.mark.parametrize(("place", "codes"), CODES.items())
def test_codes_are_those_of_the_interface(place: tuple[str, str], codes: str) -> None:
    column = schema.layer(place[0]).column(place[1])
    assert column is not None
    assert [c.value for c in column.codes] == codes.split()


def test_every_layer_declares_its_key_once() -> None:
    for layer in schema.layers().values():
        names = [c.name for c in layer.columns]
        assert len(names) == len(set(names))
        assert layer.key in names or layer.name == "candidates"


def test_no_word_means_two_codes_of_one_column() -> None:
    for layer in schema.layers().values():
        for column in layer.columns:
            each = [{w.casefold().replace(" ", "").replace("_", "") for w in (c.value, *c.words)} for c in column.codes]
            assert sum(map(len, each)) == len(set().union(*each)), (layer.name, column.name)


def test_units_stand_in_the_names() -> None:
    units = {"_m": "m", "_mm": "mm", "_m2": "m2", "_km": "km", "_wan": "万元", "_pct": "%"}
    for layer in schema.layers().values():
        for column in layer.columns:
            if column.kind == "float" and not layer.derived:
                ending = "_" + column.name.rpartition("_")[2]
                assert units.get(ending, column.unit) == column.unit or column.name.endswith("_wan_m2")


def test_people_and_phones_are_personal() -> None:
    assert {"leader", "leader_phone"} <= schema.layer("buildings").personal
    assert "note" in schema.layer("pipes").personal


def test_an_unknown_layer_lists_those_there_are() -> None:
    with pytest.raises(NotFoundError, match="manholes"):
        schema.layer("sewers")


def test_the_data_dictionary_page_is_current() -> None:
    page = Path(__file__).parents[2] / "docs" / "data-dictionary.md"
    assert page.read_text(encoding="utf-8") == dictionary.markdown()
