"""Tests of the demo county's layers and totals."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from mapapp import demo
from mapapp.core import schema
from mapapp.demo import ground, programme


def test_yearly_totals_are_those_of_the_county_report(county: demo.County) -> None:
    """Compounds, floor area, buildings, households and investment agree to the last digit; 2022 has no investment."""
    for year, told in programme.YEARS.items():
        rows = county.layers["compounds"]
        rows = rows[rows["programme_year"] == year]
        assert len(rows) == told.compounds
        assert (rows["floor_area_m2"].sum(), rows["buildings"].sum(), rows["households"].sum()) == (
            told.floor_area_m2, told.buildings, told.households,
        )  # fmt: skip
        money = rows["invest_total_wan"].sum(min_count=1)
        assert np.isnan(money) if told.invest_wan is None else round(money, 2) == told.invest_wan


def test_progress_is_that_of_the_county_report(county: demo.County) -> None:
    """2020 all complete; 2021 25 in the year and 3 by the next May; 2022 all started."""
    rows = county.layers["compounds"]
    finish = rows["finish_actual"]
    assert finish[rows["programme_year"] == 2020].str.startswith("2020").all()
    late = rows[rows["programme_year"] == 2021]["finish_actual"]
    assert late.str.startswith("2021").sum() == 25
    assert late[~late.str.startswith("2021")].between("2022-01", "2022-05").sum() == 3
    now = rows[rows["programme_year"] == 2022]
    assert now["finish_actual"].isna().all()
    assert now["status"].isin(["started", "under_way"]).all()


def test_sizes_are_plausible_for_the_trade(county: demo.County) -> None:
    """Square metres per household, households per building and money stay inside the bands of the domain notes."""
    c = county.layers["compounds"]
    assert (c["floor_area_m2"] / c["households"]).between(40, 200).all()
    assert (c["households"] / c["buildings"]).between(5, 150).all()
    assert (c["floor_area_m2"] / c["buildings"]).between(800, 15_000).all()
    assert (c["invest_total_wan"] * 1e4 / c["floor_area_m2"]).dropna().between(80, 1500).all()


def test_buildings_stand_in_their_compounds_and_add_up(county: demo.County) -> None:
    """Counts, households and areas of a compound's buildings are the compound's own."""
    c = county.layers["compounds"].set_index("compound_id")
    b = county.layers["buildings"].dropna(subset="compound_id")
    added = b.groupby("compound_id").agg(
        buildings=("building_id", "size"), households=("households", "sum"), floor_area_m2=("floor_area_m2", "sum")
    )
    pd.testing.assert_frame_equal(added, c.loc[added.index, list(added)], check_dtype=False)
    assert len(added) == 71
    outline = gpd.GeoSeries(c["geometry"]).reindex(b["compound_id"]).to_numpy()
    assert shapely.covers(shapely.buffer(outline, 0.1), b.geometry.to_numpy()).all()


def test_every_layer_keeps_to_the_dictionary(county: demo.County) -> None:
    """Keys are columns, types are those declared, codes are on their lists, the CRS is metric."""
    for name, frame in county.layers.items():
        declared = schema.layer(name)
        assert declared.key in frame
        assert isinstance(frame.index, pd.RangeIndex)
        for column in declared.columns:
            if column.name not in frame:
                continue
            assert str(frame[column.name].dtype) == column.dtype, (name, column.name)
            if column.kind == "enum" and column.codes:
                assert set(frame[column.name].dropna()) <= {k.value for k in column.codes}, (name, column.name)
        if declared.spatial and name != "problems":
            assert frame.crs == county.crs


def test_the_same_seed_gives_the_same_bytes(county: demo.County) -> None:
    """Twice the same county."""
    again = demo.county()
    for name, frame in county.layers.items():
        pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(again.layers[name]))
        if isinstance(frame, gpd.GeoDataFrame):
            assert frame.geometry.to_wkb().equals(again.layers[name].geometry.to_wkb())


def test_valley_coordinates_come_back() -> None:
    """Bending the valley into the map and back changes nothing."""
    s, t = np.meshgrid(np.linspace(-200, 2500, 40), np.linspace(-1300, 1300, 40))
    back = ground.to_valley(ground.to_map(s, t))
    assert np.abs(back - np.stack([s, t], axis=-1)).max() < 1e-3
