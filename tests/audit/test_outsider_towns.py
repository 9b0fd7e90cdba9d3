"""Towns thought out from the interface alone: nothing missed, nothing reported that is not so."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audit.outsider import TOWNS, VERDICT_RULES
from tests.audit.towns import X, Y, layers, run, verdicts


def faults(result):
    """Return every finding that is not the verdict of a compound."""
    table = result.findings
    told = table[~((table["layer"] == "compounds") & table["rule"].isin(VERDICT_RULES | {"dangling"}))]
    return set(zip(told["rule"], told["feature_id"], strict=True))


@pytest.mark.parametrize("name", TOWNS)
def test_the_answer_is_the_one_thought_out_by_hand(name):
    rows, expected, judged = TOWNS[name]
    result = run(layers(**rows))
    assert (faults(result), verdicts(result)) == (expected, judged)


NAMES = sorted(TOWNS)


def moved(town, *, turn=0.0, mirror=False, shift=(0.0, 0.0), seed=0):
    """Return the layers turned, mirrored, moved and in another order of rows."""
    out = {}
    for name, table in town.items():
        shape = (
            table.geometry.rotate(turn, origin=(X, Y)).scale(-1 if mirror else 1, 1, origin=(X, Y)).translate(*shift)
        )
        out[name] = table.set_geometry(shape, crs=table.crs).sample(frac=1, random_state=seed).reset_index(drop=True)
    return out


def side_by_side(names):
    """Return several towns 5 km apart as one, and the answer for all of them together: ids carry the town's number."""
    rows, expected, judged = {}, set(), {}
    for k, name in enumerate(names):
        town, faults_of, verdicts_of = TOWNS[name]
        for layer, table in layers(**town).items():
            table = table.set_geometry(table.geometry.translate(5000.0 * k, 0), crs=table.crs)
            key = {"pipes": "pipe_id", "manholes": "node_id", "compounds": "compound_id", "outlets": "id"}.get(layer)
            if key:
                table[key] = f"{k}:" + table[key]
            rows.setdefault(layer, []).append(table)
        expected |= {(rule, f"{k}:{feature}") for rule, feature in faults_of}
        judged |= {f"{k}:{c}": v for c, v in verdicts_of.items()}
    joined = {name: pd.concat(tables, ignore_index=True) for name, tables in rows.items()}
    return joined, expected, judged


ALONE = {n for n in NAMES if TOWNS[n][0]["survey_areas"] or "at 15 m" in n or "at 60 m" in n or "at 400 m" in n}


@given(
    st.lists(st.sampled_from([n for n in NAMES if n not in ALONE]), min_size=2, max_size=6),
    st.floats(0, 360),
    st.booleans(),
    st.tuples(st.floats(-2e5, 2e5), st.floats(-1e6, 1e6)),
    st.integers(0, 99),
)
@settings(deadline=None, max_examples=25)
def test_towns_side_by_side_turned_mirrored_moved_and_shuffled_keep_their_answers(names, turn, mirror, shift, seed):
    town, expected, judged = side_by_side(names)
    result = run(moved(town, turn=turn, mirror=mirror, shift=shift, seed=seed))
    assert (faults(result), verdicts(result)) == (expected, judged)
