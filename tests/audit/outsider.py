"""This module holds small towns thought out from the interface alone: what lies there, and the full answer by hand.

Every town stands beside one sound street: a main along y = 0 that falls east to a plant, with one connected compound.
"""

from __future__ import annotations

from shapely.geometry import LineString, MultiLineString, Polygon, box

from tests.audit.towns import X, Y, compound, falling, main, outlet, pipe, plant, well

VERDICT_RULES = {"not_connected", "no_main", "wrong_outlet", "no_gravity", "inlet_unknown", "no_data"}


def street():
    """Return the sound part: M0 to M3 from x = 0 to 120, compound OK with lateral LOK at x = 60, plant W1."""
    return {
        "pipes": [*main(120), falling("LOK", 10.5, 9.9, (60, 20), (60, 0), level="lateral")],
        "manholes": [],
        "outlets": [plant(120, 0)],
        "compounds": [compound("OK", 50, 10)],
        "streets": [],
        "survey_areas": [],
    }


def town(*, without=(), **more):
    """Return the sound street with rows added to its layers, and without some of its pipes."""
    out = street()
    out["pipes"] = [p for p in out["pipes"] if p["pipe_id"] not in without]
    for name, rows in more.items():
        out[name] = out[name] + list(rows)
    return out


def side(name, *xy, high=10.5, low=9.9, **more):
    """Return a lateral along some vertices, falling."""
    return falling(name, high, low, *xy, level="lateral", **more)


def below(name, x, y=-30.0, size=20.0, **more):
    """Return a compound south of the main, its outline from x - 10 to x + 10."""
    return compound(name, x - size / 2, y, size, **more)


def area(name, x0, y0, x1, y1, **more):
    return {"area_id": name, "covers": "sewage", "geometry": box(X + x0, Y + y0, X + x1, Y + y1), **more}


def mends(level_m=None):
    """Return a main of two pipes apart from the street, from (0, -300) east to x = 60."""
    high = 10.0 if level_m is None else level_m
    return [
        falling("A1", high, high - 0.3, (0, -300), (30, -300)),
        falling("A2", high - 0.3, high - 0.6, (30, -300), (60, -300)),
    ]


# name: (town, findings that are not a verdict's own, verdicts)
TOWNS: dict[str, tuple[dict, set, dict]] = {}


def given(name, rows, findings=(), **verdicts):
    """Write down a town with the answer for everything in it."""
    assert name not in TOWNS, name
    TOWNS[name] = (rows, set(findings), {"OK": "connected"} | verdicts)


C = [below("C", 30)]  # outline x 20..40, y -30..-10; its lateral runs up to (30, 0)


def gap(end, **more):
    """Return the lateral of C, from inside it to an end."""
    return side("L", (30, -20), end, **more)


# ── snapping ─────────────────────────────────────────────────────────────────────────────────────────────────────
given("ends 4 cm apart are one node", town(pipes=[gap((30.0, -0.04))], compounds=C), C="connected")
given("ends exactly 5 cm apart are one node", town(pipes=[gap((30.0, -0.05))], compounds=C), C="connected")
given("ends 4 cm apart across two decimetres", town(pipes=[gap((29.97, -0.02))], compounds=C), C="connected")
given(
    "ends 7 cm apart are not one node, they miss each other",
    town(pipes=[gap((30.0, -0.07))], compounds=C),
    [("near_miss", "L")],
    C="dangling",
)
given(
    "a chain of ends each 4 cm from the next",
    town(pipes=[gap((30.0, -0.08)), side("K", (30, -0.04), (40, -9), high=9.9, low=9.89)], compounds=C),
    [
        ("dangling", "K"),
    ],
    C="connected",
)
given(
    "a manhole half way between two ends 8 cm apart joins them",
    town(pipes=[gap((30.0, -0.08))], compounds=C, manholes=[well("N", 30, -0.04)]),
    C="connected",
)
given(
    "a stub of 3 cm in the main",
    town(
        without=["M1"],
        pipes=[
            falling("S", 9.7, 9.6997, (30, 0), (30.03, 0)),
            falling("T", 9.6997, 9.4, (30.03, 0), (60, 0)),
            gap((30, 0)),
        ],
        compounds=C,
    ),
    C="connected",
)
given(
    "two stubs of 4 cm one after the other",
    town(
        without=["M1"],
        pipes=[
            falling("S", 9.7, 9.6996, (30, 0), (30.04, 0)),
            falling("R", 9.6996, 9.6992, (30.04, 0), (30.08, 0)),
            falling("T", 9.6992, 9.4, (30.08, 0), (60, 0)),
            gap((30, 0)),
        ],
        compounds=C,
    ),
    C="connected",
)

# ── near misses ──────────────────────────────────────────────────────────────────────────────────────────────────
given("undershoot to a node", town(pipes=[gap((30, -0.5))], compounds=C), [("near_miss", "L")], C="dangling")
given("undershoot to a body", town(pipes=[gap((40, -0.5))], compounds=C), [("near_miss", "L")], C="dangling")
given("overshoot over a body", town(pipes=[gap((40, 0.5))], compounds=C), [("near_miss", "L")], C="dangling")
given("overshoot past a node", town(pipes=[gap((30, 0.6))], compounds=C), [("near_miss", "L")], C="dangling")
given(
    "sideways: the main goes on 60 cm to the side",
    town(
        pipes=[
            *mends()[:1],
            falling("A2", 9.7, 9.4, (30, -299.4), (60, -299.4)),
            side("L", (0, -320), (0, -300), high=11, low=10.4),
        ],
        outlets=[plant(60, -299.4, "W2")],
        compounds=[below("C", 0, -335)],
    ),
    [("near_miss", "A1")],
    C="dangling",
)
given("one metre is still near", town(pipes=[gap((40, -1.0))], compounds=C), [("near_miss", "L")], C="dangling")
given(
    "beyond one metre it just ends",
    town(pipes=[gap((40, -1.1))], compounds=C),
    [("dangling", "L"), ("island", "L")],
    C="dangling",
)
given(
    "not near a pipe of the other system",
    town(
        pipes=[
            side("L", (0, -320), (0, -300.5)),
            falling("R1", 9, 8.7, (-30, -300), (30, -300), kind="storm"),
        ],
        outlets=[outlet("O", "outfall", 30, -300)],
        compounds=[below("C", 0, -335)],
    ),
    [("dangling", "L"), ("island", "L")],
    C="dangling",
)
given(
    "near a combined sewer is near",
    town(
        pipes=[side("L", (0, -320), (0, -300.5)), falling("R1", 9, 8.7, (-30, -300), (30, -300), kind="combined")],
        outlets=[plant(30, -300, "W2")],
        compounds=[below("C", 0, -335)],
    ),
    [("near_miss", "L")],
    C="dangling",
)
given(
    "near an abandoned pipe is not near",
    town(
        pipes=[
            side("L", (0, -320), (0, -300.5)),
            falling("R1", 9, 8.7, (-30, -300), (30, -300), status="abandoned"),
        ],
        compounds=[below("C", 0, -335)],
    ),
    [("dangling", "L"), ("island", "L")],
    C="dangling",
)
given(
    "a lost end beside its own body is lost, not near",
    town(
        pipes=[side("L", (0, -320), (0, -300), (10, -300), (10, -310), (0.5, -310))],
        compounds=[below("C", 0, -340, 25)],
    ),
    [("dangling", "L"), ("island", "L")],
    C="dangling",
)
given(
    "heads of two sewers side by side are no near miss",
    town(
        pipes=[
            *mends(),
            falling("B1", 10, 9.7, (0, -300.6), (30, -300.6)),
            falling("B2", 9.7, 9.5, (30, -300.6), (60, -304)),
            falling("B3", 9.5, 9.0, (60, -304), (90, -300)),
            falling("A3", 9.4, 9.0, (60, -300), (90, -300)),
        ],
        outlets=[plant(90, -300, "W2")],
    ),
)
given(
    "storm ends miss each other within their own system",
    town(
        pipes=[
            falling("R1", 9, 8.7, (0, -300), (30, -300), kind="storm"),
            falling("R2", 8.7, 8.4, (30.5, -300), (60, -300), kind="storm"),
        ],
        outlets=[outlet("O", "outfall", 60, -300)],
    ),
    [("near_miss", "R1")],
)

# ── touches in mid-pipe ──────────────────────────────────────────────────────────────────────────────────────────
given("a touch on a straight body", town(pipes=[gap((45, 0))], compounds=C), [("mid_pipe_junction", "L")], C="dangling")
given(
    "a touch on a vertex of the body",
    town(without=["M1"], pipes=[gap((45, 0)), falling("M1", 9.7, 9.4, (30, 0), (45, 0), (60, 0))], compounds=C),
    [("mid_pipe_junction", "L")],
    C="dangling",
)
given("a touch 4 cm off", town(pipes=[gap((45, -0.04))], compounds=C), [("mid_pipe_junction", "L")], C="dangling")
given("a touch with a manhole", town(pipes=[gap((45, 0))], compounds=C, manholes=[well("N", 45, 0)]), C="connected")
given(
    "a crossing of two sewers is no junction",
    town(pipes=[gap((45, -9), high=10.6, low=10.4), side("K", (45, -9), (45, 60), high=10.4, low=9)], compounds=C),
    [("dangling", "K"), ("island", "K")],
    C="dangling",
)
given(
    "a crossing where both have a vertex is no junction",
    town(
        without=["M1"],
        pipes=[
            falling("M1", 9.7, 9.4, (30, 0), (45, 0), (60, 0)),
            side("L", (30, -20), (45, -9), (45, 0), (45, 60), high=10.6, low=9),
        ],
        compounds=C,
    ),
    [("dangling", "L"), ("island", "L")],
    C="dangling",
)
given(
    "two storm pipes may pass over a sewer's node and stay apart",
    town(
        pipes=[
            falling("R1", 12, 11.5, (30, 40), (30, 0), kind="storm"),
            falling("R2", 11.5, 11, (30, 0), (30, -60), kind="storm"),
        ],
        outlets=[outlet("O", "outfall", 30, -60)],
    ),
)

# ── outlets ──────────────────────────────────────────────────────────────────────────────────────────────────────
FAR = [below("C", 0, -335)]  # joined by FARL to the head of the main of `mends`
FARL = side("L", (0, -320), (0, -300), high=11.0, low=10.4)
for facility, answer, told in (
    ("wwtp", "connected", []),
    ("boundary", "connected", []),
    ("pump", "dangling", [("no_outlet", "A1")]),
    ("interceptor", "dangling", [("no_outlet", "A1")]),
    ("outfall", "wrong_outlet", [("no_outlet", "A1")]),
):
    given(
        f"a main that ends at a {facility}",
        town(pipes=[*mends(), FARL], outlets=[outlet("E", facility, 60, -300)], compounds=FAR),
        told,
        C=answer,
    )
    given(
        f"a {facility} 3 m beside the end",
        town(pipes=[*mends(), FARL], outlets=[outlet("E", facility, 62, -302)], compounds=FAR),
        told,
        C=answer,
    )
given(
    "a pump lifts into a rising main to the plant",
    town(
        pipes=[
            *mends(),
            FARL,
            falling("F", 5, 12, (60, -300), (90, -300), flow="pressure", flow_dir="0"),
            falling("G", 12, 11.7, (90, -300), (120, -300)),
        ],
        outlets=[outlet("E", "pump", 60, -300), plant(120, -300, "W2")],
        compounds=FAR,
    ),
    C="connected",
)
given(
    "an overflow to the river on a main that goes on to the plant",
    town(pipes=[gap((30, 0))], outlets=[outlet("O", "outfall", 60, 0)], compounds=C),
    C="connected",
)
given(
    "a village with its own plant is no island",
    town(pipes=[*mends(), FARL], outlets=[plant(60, -300, "W2")], compounds=FAR),
    C="connected",
)
given(
    "an island ends somewhere and has nothing",
    town(pipes=[*mends(), FARL], compounds=FAR),
    [("island", "A1"), ("dangling", "A2")],
    C="dangling",
)
given(
    "a plant at the upper end takes nothing",
    town(pipes=[*mends(), FARL], outlets=[plant(-3, -300, "W2")], compounds=[below("C", 30, -335)]),
    [("dangling", "A2")],
    C="not_connected",
)

# ── systems ──────────────────────────────────────────────────────────────────────────────────────────────────────
RAIN = [
    falling("R1", 10, 9.7, (0, -300), (30, -300), kind="storm"),
    falling("R2", 9.7, 9.4, (30, -300), (60, -300), kind="storm"),
]
RIVER = [outlet("O", "outfall", 60, -300)]
given(
    "sewage into a storm pipe's head",
    town(pipes=[*RAIN, FARL], outlets=RIVER, compounds=FAR),
    [("cross_connection", "L")],
    C="wrong_outlet",
)
given(
    "sewage into a storm pipe's middle node",
    town(pipes=[*RAIN, side("L", (30, -320), (30, -300))], outlets=RIVER, compounds=[below("C", 30, -335)]),
    [("cross_connection", "L")],
    C="wrong_outlet",
)
given(
    "storm water into a sewer",
    town(pipes=[falling("R1", 11, 9.9, (30, -60), (30, 0), kind="storm")]),
    [("cross_connection", "R1")],
)
given(
    "storm water into a combined sewer is right",
    town(
        pipes=[{**p, "kind": "combined"} for p in mends()]
        + [falling("R1", 11, 9.9, (30, -330), (30, -300), kind="storm")],
        outlets=[plant(60, -300, "W2")],
    ),
)
given(
    "a combined sewer into a river does not serve",
    town(pipes=[{**p, "kind": "combined"} for p in mends()] + [FARL], outlets=RIVER, compounds=FAR),
    [("no_outlet", "A1")],
    C="wrong_outlet",
)
for status in ("abandoned", "planned", "under_construction", "empty"):
    given(
        f"a link of the main that is {status} carries nothing",
        town(
            pipes=[mends()[0], {**mends()[1], "status": status}, FARL], outlets=[plant(60, -300, "W2")], compounds=FAR
        ),
        [("dangling", "A1"), ("island", "A1")],
        C="dangling",
    )
given(
    "a lateral that is planned does not join",
    town(pipes=[{**gap((30, 0)), "status": "planned"}], compounds=C),
    C="not_connected",
)
given(
    "a storm lateral in the yard does not serve it",
    town(
        pipes=[falling("R1", 10, 9, (30, -20), (30, -60), kind="storm", level="lateral")],
        outlets=[outlet("O", "outfall", 30, -60)],
        compounds=C,
    ),
    C="not_connected",
)
given(
    "a gas pipe is no sewer",
    town(pipes=[{**gap((30, 0)), "kind": "other"}], compounds=C),
    C="not_connected",
)

# ── direction ────────────────────────────────────────────────────────────────────────────────────────────────────
given(
    "recorded flow carries where levels are missing",
    town(pipes=[pipe("L", (30, -20), (30, 0), level="lateral", flow_dir="0")], compounds=C),
    C="connected",
)
given(
    "recorded flow the other way, drawn from the main",
    town(pipes=[pipe("L", (30, 0), (30, -20), level="lateral", flow_dir="1")], compounds=C),
    C="connected",
)
given(
    "unknown direction runs either way",
    town(pipes=[pipe("L", (30, 0), (30, -20), level="lateral")], compounds=C),
    C="connected",
)
given(
    "levels outrank a missing record: drawn from the main, falling to it",
    town(
        pipes=[pipe("L", (30, 0), (30, -20), from_invert_m=9.9, to_invert_m=10.5, level="lateral", flow_dir="1")],
        compounds=C,
    ),
    C="connected",
)
given(
    "a loop that ends in the main",
    town(
        pipes=[
            gap((30, -8), high=10.8, low=10.6),
            side("K1", (30, -8), (25, -4), high=10.6, low=10.3),
            side("K2", (30, -8), (35, -4), high=10.6, low=10.3),
            side("K3", (25, -4), (30, 0), high=10.3, low=9.9),
            side("K4", (35, -4), (30, 0), high=10.3, low=9.9),
        ],
        compounds=C,
    ),
    C="connected",
)
given(
    "a split that loses one branch still serves",
    town(pipes=[gap((30, 0)), falling("LOST", 9.7, 9.2, (30, 0), (30, 40))], compounds=C),
    [("dangling", "LOST")],
    C="connected",
)
given(
    "joined to the piece of the plant, flowing away from it",
    town(
        pipes=[
            falling("D1", 9.7, 9.0, (30, 0), (30, -100)),
            side("L", (60, -100), (30, -100), high=10, low=9.2),
        ],
        compounds=[below("C", 62, -110)],
    ),
    [("dangling", "D1")],
    C="no_gravity",
)
given(
    "never against a recorded direction",
    town(
        pipes=[
            pipe("D1", (30, 0), (30, -100), flow_dir="0"),
            pipe("L", (60, -100), (30, -100), flow_dir="0", level="lateral"),
        ],
        compounds=[below("C", 62, -110)],
    ),
    [("dangling", "D1")],
    C="dangling",
)

# ── levels ───────────────────────────────────────────────────────────────────────────────────────────────────────
for bad in (0.0, -99.0, 9999.0, -999.0):
    for height in (15.0, 60.0, 400.0):
        given(
            f"{bad:g} at {height:g} m is a placeholder",
            town(
                pipes=[
                    falling("A1", height, height - 0.3, (0, -300), (30, -300)),
                    falling("A2", bad, height - 0.6, (30, -300), (60, -300)),
                    falling("A3", height - 0.6, height - 0.9, (60, -300), (90, -300)),
                ],
                outlets=[plant(90, -300, "W2")],
            ),
            [("sentinel_value", "A2")],
        )
given(
    "zero and below by the sea are true",
    town(
        pipes=[
            falling("A1", 0.3, 0.0, (0, -300), (30, -300)),
            falling("A2", 0.0, -0.3, (30, -300), (60, -300)),
        ],
        outlets=[plant(60, -300, "W2")],
    ),
)
given(
    "a step up of 20 cm",
    town(
        pipes=[falling("A1", 10, 9.7, (0, -300), (30, -300)), falling("A2", 9.9, 9.4, (30, -300), (60, -300))],
        outlets=[plant(60, -300, "W2")],
    ),
    [("level_mismatch", "A2")],
)
given(
    "a drop of 1.5 m is no fault",
    town(
        pipes=[falling("A1", 10, 9.7, (0, -300), (30, -300)), falling("A2", 8.2, 7.9, (30, -300), (60, -300))],
        outlets=[plant(60, -300, "W2")],
    ),
)
given(
    "pressure pipes have no slope",
    town(
        pipes=[falling("A1", 5, 9, (0, -300), (60, -300), flow="pressure", flow_dir="0")],
        outlets=[plant(60, -300, "W2")],
    ),
)
given(
    "one level missing makes no slope",
    town(pipes=[pipe("A1", (0, -300), (60, -300), from_invert_m=9.0)], outlets=[plant(60, -300, "W2")]),
)
given(
    "a recorded direction against a rise is adverse",
    town(
        pipes=[
            falling("A1", 10, 9.7, (0, -300), (30, -300), flow_dir="0"),
            falling("A2", 9.7, 9.75, (30, -300), (60, -300), flow_dir="0"),
            falling("A3", 9.7, 9.4, (60, -300), (90, -300), flow_dir="0"),
            FARL,
        ],
        outlets=[plant(90, -300, "W2")],
        compounds=FAR,
    ),
    [("adverse_slope", "A2")],
    C="connected",
)
given(
    "drawn the wrong way in a survey that draws downhill is reversed, not adverse",
    town(
        without=["M1"],
        pipes=[pipe("M1", (60, 0), (30, 0), from_invert_m=9.4, to_invert_m=9.7), gap((30, 0))],
        compounds=C,
    ),
    [("reversed", "M1")],
    C="connected",
)

# ── shapes ───────────────────────────────────────────────────────────────────────────────────────────────────────


def parts(*strings):
    return MultiLineString([LineString([(X + x, Y + y) for x, y in s]) for s in strings])


given(
    "two parts that meet are one pipe",
    town(pipes=[{**gap((30, 0)), "geometry": parts([(30, -20), (30, -10)], [(30, -10), (30, 0)])}], compounds=C),
    C="connected",
)
given(
    "a copy drawn the other way",
    town(pipes=[pipe("M1copy", (60, 0), (30, 0), from_invert_m=9.4, to_invert_m=9.7)]),
    [("duplicate_geometry", "M1copy")],
)
given(
    "a copy slightly off does not hide the lost end",
    town(
        pipes=[
            gap((30, 0)),
            falling("D1", 9.7, 9.2, (30, 0), (30, 40)),
            falling("D2", 9.7, 9.2, (30.02, 0), (30.1, 40.05)),
        ],
        compounds=C,
    ),
    [("duplicate_geometry", "D2"), ("dangling", "D1")],
    C="connected",
)
given(
    "parallel sewers 60 cm apart from one node to another are no copies",
    town(
        pipes=[
            falling("A1", 10, 9.0, (0, -300), (30, -300), (60, -300)),
            falling("A2", 10, 9.0, (0, -300), (2, -300.6), (58, -300.6), (60, -300)),
        ],
        outlets=[plant(60, -300, "W2")],
    ),
)
given(
    "a fork at a small angle is no copy",
    town(
        pipes=[
            falling("A1", 10, 9.0, (0, -300), (60, -300)),
            falling("A2", 10, 9.0, (0, -300), (60, -304)),
        ],
        outlets=[plant(60, -300, "W2"), plant(60, -304, "W3")],
    ),
)
given("no length", town(pipes=[pipe("Z", (200, 50), (200, 50))]), [("zero_length", "Z")])
given("no shape", town(pipes=[{"pipe_id": "Z", "kind": "sewage", "geometry": None}]), [("null_geometry", "Z")])
given(
    "empty shape", town(pipes=[{"pipe_id": "Z", "kind": "sewage", "geometry": LineString()}]), [("null_geometry", "Z")]
)
given(
    "one id twice",
    town(
        pipes=[falling("M0", 9.7, 9.2, (30, 0), (30, 40)), falling("E", 9.2, 9, (30, 40), (30, 60))],
        outlets=[plant(30, 60, "W2")],
    ),
    [("duplicate_id", "M0")],
)

# ── the survey's edge, and what is known ─────────────────────────────────────────────────────────────────────────
AROUND = area("S", -50, -100, 200, 100)
given(
    "a main that leaves the surveyed area is not lost",
    town(
        pipes=[falling("A1", 9.7, 9.3, (30, 0), (30, -80)), falling("A2", 9.3, 9.1, (30, -80), (30, -120))],
        survey_areas=[AROUND],
    ),
)
given(
    "a main cut exactly at the edge is not lost",
    town(pipes=[falling("A1", 9.7, 9.3, (30, 0), (30, -100))], survey_areas=[AROUND]),
)
given(
    "outside the surveyed area nothing is known",
    town(compounds=[below("C", 30, -125)], survey_areas=[AROUND]),
    C="no_data",
)
given(
    "a survey of storm water says nothing of sewers",
    town(
        compounds=[below("C", 150, -80)],
        survey_areas=[area("S", -50, -20, 100, 100), area("T", 100, -100, 200, 0, covers="storm")],
    ),
    C="no_data",
)
given("surveyed and 200 m away: no main", town(compounds=[below("C", 30, -220)]), C="no_main")
given("149 m away: a main is near", town(compounds=[below("C", 30, -169)]), C="not_connected")
given("600 m from any pipe: nothing is known", town(compounds=[below("C", 30, -625)]), C="no_data")
given(
    "laterals not surveyed: the inlet is unknown",
    town(compounds=C, survey_areas=[area("S", -50, -100, 200, 100, laterals="no")]),
    C="inlet_unknown",
)
given(
    "laterals surveyed: not connected",
    town(compounds=C, survey_areas=[area("S", -50, -100, 200, 100, laterals="yes")]),
    C="not_connected",
)

# ── compounds ────────────────────────────────────────────────────────────────────────────────────────────────────
given("near is not connected", town(compounds=[below("C", 30, -25)]), C="not_connected")
given("a main that passes through does not serve", town(compounds=[compound("C", 5, -10)]), C="not_connected")
given(
    "a main beside the wall, its manholes 60 cm away in the street",
    town(compounds=[below("C", 30, -20.6)], manholes=[well("N", 30, 0)]),
    C="not_connected",
)
given("a lateral from the outline itself", town(pipes=[side("L", (30, -10), (30, 0))], compounds=C), C="connected")
given("a lateral from 90 cm outside", town(pipes=[side("L", (30, -9.1), (30, 0))], compounds=C), C="connected")
given("a lateral from 1.5 m outside", town(pipes=[side("L", (30, -8.5), (30, 0))], compounds=C), C="not_connected")
given(
    "one good and one lost lateral",
    town(pipes=[gap((30, 0)), side("K", (30, -25), (30, -60), high=10.4, low=9.9)], compounds=C),
    [("dangling", "K"), ("island", "K")],
    C="connected",
)
given(
    "a good main beside a lateral into the river",
    town(pipes=[side("K", (30, -25), (30, -60))], outlets=[outlet("O", "outfall", 30, -60)], compounds=C),
    [("no_outlet", "K")],
    C="wrong_outlet",
)
given(
    "two yards wall to wall, the lateral in one",
    town(pipes=[gap((30, 0))], compounds=[*C, compound("D", 40, -30)]),
    C="connected",
    D="not_connected",
)
given(
    "the ledger says connected, the network does not",
    town(compounds=[below("C", 30, sewer_connection="connected")]),
    [("contradicts_ledger", "C")],
    C="not_connected",
)
given(
    "the ledger says not connected, the network does",
    town(pipes=[gap((30, 0))], compounds=[below("C", 30, sewer_connection="not_connected")]),
    [("contradicts_ledger", "C")],
    C="connected",
)
given(
    "the ledger does not know",
    town(pipes=[gap((30, 0))], compounds=[below("C", 30, sewer_connection="unknown")]),
    C="connected",
)
given(
    "the ledger agrees",
    town(compounds=[below("C", 30, sewer_connection="not_connected")]),
    C="not_connected",
)
given(
    "no place at all",
    town(compounds=[{"compound_id": "C", "geometry": Polygon()}]),
    [("null_geometry", "C")],
    C="no_data",
)
given(
    "a manhole in the yard with a pipe to the main",
    town(pipes=[side("L", (30, -12), (30, 0))], manholes=[well("N", 30, -12, kind="sewage")], compounds=C),
    C="connected",
)
given(
    "a manhole that nothing uses is an orphan and joins nobody",
    town(manholes=[well("N", 30, -12, kind="sewage")], compounds=C),
    [("orphan_manhole", "N")],
    C="not_connected",
)
