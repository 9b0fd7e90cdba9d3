"""Real surveys run without error, and say what an engineer would say."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from mapapp import audit

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="../shared/data with the real surveys is not there")


def layer(path, crs, **columns):
    frame = gpd.read_file(DATA / path, use_arrow=True).to_crs(crs)
    return gpd.GeoDataFrame({name: make(frame) for name, make in columns.items()}, geometry=frame.geometry, crs=crs)


def number(name):
    return lambda f: pd.to_numeric(f[name])


def ids(prefix):
    return lambda f: prefix + f.index.astype(str)


def kamloops():
    return {
        "pipes": layer("kamloops/sanitary_mains.geojson", 32610, pipe_id=ids("P"), kind=lambda f: ["sewage"] * len(f),
                       from_invert_m=number("UPSTREAMINVERT"), to_invert_m=number("DOWNSTREAMINVERT"), diameter_mm=number("DIAMETER")),
        "manholes": layer("kamloops/sanitary_manholes.geojson", 32610, node_id=ids("M"), ground_elev_m=number("RIMELEVATION")),
        "compounds": layer("kamloops/buildings.geojson", 32610, compound_id=ids("B")),
    }  # fmt: skip


def test_kamloops_is_a_survey_of_mains_so_inlets_are_unknown_and_9999_is_missing():
    result = audit.run(kamloops())
    counts = result.summary["by_verdict"]
    assert counts["inlet_unknown"] > 1400
    assert "not_connected" not in counts
    told = result.findings[result.findings["rule"] == "sentinel_value"]
    assert set(told["value"]) == {9999.0}
    assert result.summary["by_rule"]["dangling"] < 60  # upper ends are none


def test_mains_cut_at_the_window_are_not_dangling_once_the_window_is_known():
    window = gpd.GeoSeries([shapely.box(-120.345, 50.665, -120.325, 50.680)], crs=4326).to_crs(32610)
    town = kamloops()
    before = audit.run(town).summary["by_rule"]["dangling"]
    town["survey_areas"] = gpd.GeoDataFrame({"area_id": ["A"]}, geometry=window, crs=32610)
    after = audit.run(town, settings=audit.AuditSettings(survey_edge_m=30)).summary["by_rule"].get("dangling", 0)
    assert after < before / 2


def test_ottawa_with_three_systems_joins_no_storm_pipe_to_a_sewer_by_crossing():
    parts = [
        layer(f"ottawa/{name}_pipes.geojson", 32618, pipe_id=ids(name), kind=lambda f, k=kind: [k] * len(f),
              from_invert_m=number("INVERT_UPSTREAM"), to_invert_m=number("INVERT_DOWNSTREAM"), diameter_mm=number("WIDTH"))
        for name, kind in (("sanitary", "sewage"), ("combined", "combined"), ("storm", "storm"))
    ]  # fmt: skip
    result = audit.run({"pipes": pd.concat(parts, ignore_index=True)})
    crossed = result.findings[result.findings["rule"] == "cross_connection"]
    assert len(crossed) < 5
    assert result.findings["finding_id"].is_unique


def test_a_state_of_20000_lines_is_audited_with_its_mid_pipe_junctions_and_near_misses():
    lines = layer("vermont_sewer_lines.gpkg", 32145, pipe_id=ids("P"), kind=lambda f: ["sewage"] * len(f))
    plants = gpd.read_file(DATA / "vermont_treatment_facilities.geojson", columns=[]).to_crs(32145)
    plants = gpd.GeoDataFrame({"id": ids("W")(plants), "facility": "wwtp"}, geometry=plants.geometry)
    result = audit.run({"pipes": lines, "outlets": plants})
    counts = result.summary["by_rule"]
    assert counts["near_miss"] > 1000
    assert counts["mid_pipe_junction"] > 1000
    assert "dangling" not in counts  # no levels, no record: no end can be called the lower one
