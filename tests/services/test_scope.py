"""Table 4.1 of the planners' guide, line by line: what a share may carry at most, and by default."""

from __future__ import annotations

import pytest

from mapapp.core import schema
from mapapp.core.errors import InputError
from mapapp.services import scope as scopes
from mapapp.services.scope import Scope, ShareSpec, access, allowed_layers

EVERYTHING = {"investment": True, "gaps": True, "levels": True, "descriptions": True, "download": True}
ALL = tuple(schema.layers())
NEVER_PUBLIC = (
    "pipes",
    "manholes",
    "outlets",
    "inlets",
    "buildings",
    "findings",
    "verdicts",
    "candidates",
    "links",
    "ledger",
    "management",
)


def holder(kind: str, **choices: object) -> Scope:
    return Scope("x", share=ShareSpec(kind=kind, layers=ALL, unit="水务公司", **choices))


@pytest.mark.parametrize("layer", NEVER_PUBLIC)
def test_a_public_link_never_carries_these_layers_whatever_its_maker_ticked(layer: str) -> None:
    assert access(holder("public", **EVERYTHING), layer) is None


def test_a_public_link_has_coarse_outlines_rounded_figures_and_counts_of_problems() -> None:
    compounds, problems = (access(holder("public"), name) for name in ("compounds", "problems"))
    assert (compounds.precision, compounds.rounded) == ("coarse", True)
    assert problems.counts_only
    assert "invest_total_wan" not in compounds.columns
    assert "sewer_pending" not in compounds.columns


@pytest.mark.parametrize("kind", ["public", "unit"])
def test_no_share_carries_people_phones_photos_or_notes(kind: str) -> None:
    for layer, allowed in allowed_layers(holder(kind, **EVERYTHING).share).items():
        personal = schema.layer(layer).personal | {
            "note",
            "photos",
            "leader",
            "leader_phone",
            "evidence",
            "message",
            "plan_file",
        }
        assert not personal & allowed.columns
        assert not allowed.allows("户主电话")
        assert not allowed.allows("自带列")  # nothing that a file brought along


def test_levels_are_in_a_unit_link_only_when_ticked_and_only_of_its_own_pipes() -> None:
    plain, ticked = (access(holder("unit", levels=on), "pipes") for on in (False, True))
    assert "from_invert_m" not in plain.columns
    assert {"from_invert_m", "from_depth_m"} <= ticked.columns
    outlines = [access(holder("unit", levels=on), "compounds") for on in (False, True)]
    assert ["outlet_invert_m" in o.columns for o in outlines] == [False, True]
    assert plain.rows == ticked.rows == "own_pipes"
    assert "ground_elev_m" not in access(holder("unit"), "manholes").columns


def test_a_unit_link_without_a_unit_has_no_pipes() -> None:
    assert "pipes" not in allowed_layers(ShareSpec(kind="unit", unit=""))


def test_money_is_in_a_unit_link_on_request_alone() -> None:
    plain, asked = (access(holder("unit", investment=on), "compounds") for on in (False, True))
    assert not any(c.startswith(("invest_", "fund_")) for c in plain.columns)
    assert "invest_total_wan" in asked.columns


def test_a_gap_in_a_unit_link_is_a_point() -> None:
    assert access(holder("unit"), "findings") is None
    assert access(holder("unit", gaps=True), "findings").precision == "point"


def test_chosen_columns_narrow_and_never_widen() -> None:
    spec = ShareSpec(kind="public", columns={"compounds": ("name", "address", "invest_total_wan")})
    assert access(Scope("x", share=spec), "compounds").columns == {"compound_id", "name"}


def test_a_stored_share_that_was_tampered_with_opens_no_more_than_the_table_allows() -> None:
    stored = ShareSpec(kind="public").as_json() | {
        "layers": list(ALL),
        "columns": {"compounds": ["address"]},
        "unknown": 1,
    }
    spec = ShareSpec.from_json(stored)
    assert [name for name in ALL if access(Scope("x", share=spec), name)] == ["compounds", "problems"]
    assert access(Scope("x", share=spec), "compounds").columns == {"compound_id"}


def test_a_share_survives_being_stored() -> None:
    spec = ShareSpec(
        kind="unit",
        unit="u",
        filters={"street": ("a",)},
        columns={"pipes": ("kind",)},
        embed=("https://a.b",),
        levels=True,
    )
    assert ShareSpec.from_json(spec.as_json()) == spec


def test_viewers_do_not_see_personal_columns_and_editors_do() -> None:
    for layer in ALL:
        for column in schema.layer(layer).personal | {"业主电话"}:
            assert not access(Scope("gu", role="viewer"), layer).allows(column)
            assert access(Scope("li", role="editor"), layer).allows(column)


@pytest.mark.parametrize("spec", [ShareSpec(kind="secret"), ShareSpec(kind="unit"), ShareSpec(embed=("javascript:x",))])
def test_what_cannot_be_shared_is_refused(spec: ShareSpec) -> None:
    with pytest.raises(InputError):
        scopes.check_spec(spec)
