"""Evidence and candidates as a planner reads them: the pipe, the way along streets, the fall, and what each rests on."""

from __future__ import annotations

import pytest

from tests.audit.outsider import TOWNS, below, gap, town
from tests.audit.towns import compound, layers, line, run, well


def of_c(result):
    return result.verdicts.set_index("compound_id").loc["C"]


def test_far_along_streets_is_said_as_such():
    streets = [{"street_id": f"S{i}", "geometry": line(*xy)} for i, xy in enumerate((
        [(-100, -3), (60, -3)], [(60, -3), (200, -3)], [(60, -3), (60, -120), (0, -120)],
    ))]  # fmt: skip
    c = of_c(run(layers(**town(compounds=[compound("C", 10, -110)], streets=streets))))
    assert (c["verdict"], c["distance_m"]) == ("no_main", 90)
    assert c["evidence_en"].startswith(
        "There is no sewer within 150 m along streets: the nearest is M0, 90 m away (190 m"
    )
    assert c["evidence"].startswith("沿街 150 米内没有污水主管，最近的管段 M0 在 90 米处（沿街 190 米）")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a touch on a straight body", "L only touches the body of M1, without a manhole"),
        ("undershoot to a body", "L stops 0.50 m short of M1"),
        ("a touch with a manhole", "its water reaches W1; direction by levels"),
        ("a good main beside a lateral into the river", "into O, not to a plant"),
        ("never against a recorded direction", "it ends at pipe D1; direction by record"),
        ("near is not connected", "sewer M0 is 5.0 m away; no pipe end or manhole joins the compound; no survey areas"),
        ("the ledger says connected, the network does not", "ledger: connected"),
        (
            "outside the surveyed area nothing is known",
            "outside the area surveyed for sewage: the nearest is M0, 105 m",
        ),
    ],
)
def test_the_evidence_names_what_it_rests_on(name, words):
    assert words in of_c(run(layers(**TOWNS[name][0])))["evidence_en"]


def test_an_unknown_outlet_gets_an_estimated_fall_that_decides_nothing():
    wells = [well("N0", 0, 0, ground_elev_m=12.0), well("N1", 30, 0, ground_elev_m=11.5)]
    result = run(layers(**town(compounds=[below("C", 30)], manholes=wells)))
    best = result.candidates.iloc[0]
    assert (best["manhole_id"], best["fall_basis"]) == ("N1", "ground")
    assert best["available_fall_m"] == pytest.approx(11.5 - 1.0 - 9.7)
    assert best["required_fall_m"] == pytest.approx(13 * 0.003)
    assert best.isna()["gravity"]
    known = run(layers(**town(pipes=[gap((45, 0))], compounds=[below("C", 30)], manholes=wells))).candidates.iloc[0]
    assert (known["fall_basis"], known["gravity"]) == ("levels", True)


def test_ground_far_away_estimates_nothing():
    wells = [well("N0", 0, 0, ground_elev_m=12.0), well("N1", 30, 0)]
    table = run(layers(**town(compounds=[below("C", 130, -200)], manholes=wells))).candidates
    assert table["available_fall_m"].isna().all()
    assert table["fall_basis"].isna().all()
