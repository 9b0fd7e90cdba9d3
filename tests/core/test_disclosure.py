"""What is shown to strangers is rounded, coarse and without numbers that lead to a person."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from mapapp.core import disclosure

CRS = 4549


def town(*shapes: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"n": range(len(shapes))}, geometry=list(shapes), crs=CRS)


def square(east: float, north: float, side: float) -> shapely.Polygon:
    return shapely.box(500_000 + east, 3_400_000 + north, 500_000 + east + side, 3_400_000 + north + side)


def degrees(frame: gpd.GeoDataFrame) -> np.ndarray:
    shapes = frame.geometry.to_crs(4326)
    return shapely.get_coordinates(shapes[shapes.notna()].to_numpy())


@settings(deadline=None, max_examples=40)  # the first example loads PROJ
@given(st.floats(0, 5000), st.floats(0, 5000), st.floats(1, 2000))
def test_every_outline_comes_out_on_the_grid_and_none_vanishes(east: float, north: float, side: float) -> None:
    coarse = disclosure.coarsen(town(square(east, north, side)))
    at = degrees(coarse) * 1000
    assert np.abs(at - np.round(at)).max() < 1e-6
    assert coarse.geometry.iloc[0].area > 0


def test_points_empty_and_missing_geometries_survive() -> None:
    coarse = disclosure.coarsen(town(shapely.Point(500_123, 3_400_123), shapely.Polygon(), None, square(0, 0, 40)))
    assert list(coarse.geometry.isna() | coarse.geometry.is_empty) == [False, True, True, False]
    assert coarse.geometry.iloc[0].geom_type == "Point"


def test_the_input_stays_as_it_was() -> None:
    before = town(square(0, 0, 500))
    kept = before.copy()
    disclosure.coarsen(before)
    disclosure.as_points(before)
    assert before.equals(kept)


@pytest.mark.parametrize(
    ("column", "exact", "shown"),
    [("households", 123, 120), ("households", 4, 10), ("households", 0, 0), ("floor_area_m2", 12_345, 12_500), ("buildings", 7, 8),
     ("buildings", 1, 2)],
)  # fmt: skip
def test_figures_are_rounded_and_something_is_never_shown_as_nothing(column: str, exact: int, shown: int) -> None:
    assert disclosure.round_figures(pd.DataFrame({column: [exact]}))[column].iloc[0] == shown


def test_a_missing_figure_stays_missing() -> None:
    frame = pd.DataFrame({"households": pd.array([None, 50], dtype="Int64")})
    assert disclosure.round_figures(frame)["households"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("张三13812345678漏水", "张三***漏水"), ("138 1234 5678", "***"), ("+86-13812345678", "***"), ("0571-88886666", "***"),
     ("身份证33010219490307123X。", "身份证***。"), ("编号12345678901234567890", "编号12345678901234567890"), ("DN300 12345", "DN300 12345")],
)  # fmt: skip
def test_phone_and_identity_numbers_are_taken_out_of_texts(text: str, shown: str) -> None:
    frame = pd.DataFrame({"t": pd.Series([text, None], dtype="str")})
    out = disclosure.redact(frame)
    assert out["t"].iloc[0] == shown
    assert pd.isna(out["t"].iloc[1])
