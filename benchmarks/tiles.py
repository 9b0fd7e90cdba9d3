"""This module measures tiles: ours against PostGIS's ST_AsMVT, and page weight against Folium's inline GeoJSON.

Run ``python benchmarks/tiles.py [--lines 1000000]``. The city is generated: towns of streets, pipes along them. Tiles
are drawn at random by what they hold, so the measurement sees what people look at. PostGIS is measured where its
binaries are installed; it keeps its data in a temporary folder and listens on a socket there.
"""

from __future__ import annotations

import argparse
import json
import os
import pwd
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import folium
import geopandas as gpd
import numpy as np
import shapely

from mapapp import tiles
from mapapp.render import webmap
from mapapp.tiles import grid

ATTRIBUTES = [
    "kind",
    "status",
    "diameter_mm",
    "length_m",
    "material",
    "from_depth_m",
    "to_depth_m",
    "ownership",
    "year",
]
ZOOMS = {10: 4, 12: 8, 14: 14, 16: 14}


def city(n: int, seed: int = 1) -> gpd.GeoDataFrame:
    """Pipes of 20 to 50 m along the streets of sixty towns of very different size, 60 by 45 km."""
    rng = np.random.default_rng(seed)
    weight = rng.pareto(1.2, 60) + 0.2
    town = rng.choice(60, n, p=weight / weight.sum())
    centre = np.column_stack([rng.uniform(0, 60_000, 60), rng.uniform(0, 45_000, 60)])
    radius = 700 + 5_200 * np.sqrt(weight / weight.max())
    u, v = rng.normal(0, 1, (2, n)) * radius[town]
    u, v = np.round(u / 35) * 35, np.round(v / 90) * 90 + rng.choice([-6.0, 0.0, 6.0], n)
    length = rng.uniform(20, 50, n)
    bend = rng.uniform(-3, 3, n)
    turned = rng.random(n) < 0.5
    xs = np.stack([u, u + length / 2, u + length], axis=1)
    ys = np.stack([v, v + bend, v + bend / 3], axis=1)
    xs, ys = np.where(turned[:, None], ys, xs), np.where(turned[:, None], xs, ys)
    angle = rng.uniform(0, 1.5, 60)[town][:, None]
    east = centre[town, 0][:, None] + xs * np.cos(angle) - ys * np.sin(angle) + 470_000
    north = centre[town, 1][:, None] + xs * np.sin(angle) + ys * np.cos(angle) + 3_400_000
    points = np.stack([east, north], axis=2)
    keep = np.ones((n, 3), dtype=bool)
    keep[rng.random(n) < 0.75, 1] = False
    owner = np.repeat(np.arange(n), 3).reshape(n, 3)
    lines = shapely.linestrings(points[keep], indices=owner[keep])
    return gpd.GeoDataFrame(
        {
            "pipe_id": np.char.add("P", np.arange(n).astype(str)),
            "kind": rng.choice(["sewage", "storm", "combined"], n, p=[0.5, 0.4, 0.1]),
            "status": rng.choice(["in_use", "abandoned"], n, p=[0.97, 0.03]),
            "diameter_mm": rng.choice(
                [200.0, 300, 400, 500, 600, 800, 1000], n, p=[0.2, 0.35, 0.2, 0.1, 0.09, 0.04, 0.02]
            ),
            "length_m": length.round(2),
            "material": rng.choice(["混凝土管", "PE", "PVC", "铸铁管"], n),
            "from_depth_m": rng.uniform(1, 5, n).round(2),
            "to_depth_m": rng.uniform(1, 5, n).round(2),
            "ownership": rng.choice(["市政", "小区"], n),
            "year": rng.integers(1975, 2026, n),
        },
        geometry=lines,
        crs="EPSG:4547",
    )


def addresses(frame: gpd.GeoDataFrame, seed: int = 2) -> list[tuple[int, int, int]]:
    rng = np.random.default_rng(seed)
    out = []
    for z, count in ZOOMS.items():
        some = frame.geometry.array[rng.integers(0, len(frame), 4 * count)]
        starts = shapely.get_coordinates(shapely.centroid(some))
        cells = grid.to_pixels(grid.to_grid(starts, grid.transformer(frame.crs))[0], z) >> grid.PIXEL_BITS
        out += [(z, int(x), int(y)) for x, y in dict.fromkeys(map(tuple, cells))][:count]
    return out


def measure(name, tile, wanted, repeats=3):
    """Median of the repeats per tile, after one warm-up; milliseconds."""
    rows, sizes = [], []
    for address in wanted:
        tile(*address)
        times = []
        for _ in range(repeats):
            begin = time.perf_counter()
            data = tile(*address)
            times.append((time.perf_counter() - begin) * 1e3)
        rows.append((address[0], float(np.median(times))))
        sizes.append((address[0], len(data)))
    table = np.array(rows)
    kb = np.array(sizes)
    print(f"{name:28}", end="")
    result = {}
    for z in [*ZOOMS, None]:
        ms = table[:, 1] if z is None else table[table[:, 0] == z, 1]
        p50, p95 = np.percentile(ms, [50, 95])
        result[str(z or "all")] = [round(p50, 1), round(p95, 1)]
        print(f"  {'all' if z is None else 'z' + str(z)} {p50:6.1f}/{p95:6.1f}", end="")
    print("  KB " + " ".join(f"{kb[kb[:, 0] == z, 1].mean() / 1e3:.0f}" for z in ZOOMS), flush=True)
    return result


def postgis(frame, wanted):
    """Load the city into a PostgreSQL of our own and ask it for the same tiles."""
    import psycopg

    found = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if Path("/usr/lib/postgresql").is_dir() else []
    if not found:
        print("PostgreSQL is not installed: not measured")
        return None
    user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="tiles-pg-"))
    if user:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, pwd.getpwnam("postgres").pw_gid)

    def run(*command):
        subprocess.run([str(found[-1] / command[0]), *command[1:]], check=True, stdout=subprocess.DEVNULL, **user)

    data = str(folder / "data")
    run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync")
    options = f"-c listen_addresses='' -k {folder} -c fsync=off -c shared_buffers=512MB -c work_mem=64MB"
    run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        with psycopg.connect(f"host={folder} user=postgres dbname=postgres", autocommit=True) as db:
            begin = time.perf_counter()
            db.execute("create extension postgis")
            db.execute(
                "create table pipes (gid int, pipe_id text, kind text, status text, diameter_mm float8, length_m float8,"
                " material text, from_depth_m float8, to_depth_m float8, ownership text, year int,"
                " geom geometry(LineString, 3857))"
            )
            shapes = shapely.to_wkb(frame.geometry.to_crs(3857).array, hex=True, include_srid=False)
            columns = [range(len(frame)), *(frame[c].tolist() for c in ["pipe_id", *ATTRIBUTES]), shapes.tolist()]
            with db.cursor().copy("copy pipes from stdin") as copy:
                for row in zip(*columns, strict=True):
                    copy.write_row(row)
            db.execute("create index on pipes using gist (geom)")
            db.execute("cluster pipes using pipes_geom_idx")
            db.execute("analyze pipes")
            db.execute("set max_parallel_workers_per_gather = 0")
            print(f"PostGIS: loaded in {time.perf_counter() - begin:.1f} s")

            def tile(z, x, y):
                thin = {10: "and diameter_mm >= 600", 12: "and diameter_mm >= 300"}.get(z, "")
                names = "kind, status, diameter_mm" if thin else ", ".join(["pipe_id", *ATTRIBUTES])
                return bytes(
                    db.execute(
                        f"select st_asmvt(t, 'pipes', 4096, 'geom', 'gid') from (select gid, {names}, "
                        "st_asmvtgeom(geom, st_tileenvelope(%(z)s, %(x)s, %(y)s), 4096, 64, true) as geom from pipes "
                        f"where geom && st_tileenvelope(%(z)s, %(x)s, %(y)s, margin => 64.0/4096) {thin}) t",
                        {"z": z, "x": x, "y": y},
                    ).fetchone()[0]
                )

            return measure("PostGIS ST_AsMVT (by size)", tile, wanted)
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def pages(frame):
    """Page weight and time to write: Folium's inline GeoJSON, our page with tiles, our stand-alone page."""
    some = frame.iloc[:20_000].reset_index(drop=True)
    begin = time.perf_counter()
    the_map = folium.Map(location=[30, 114])
    folium.GeoJson(
        some.to_crs(4326),
        popup=folium.GeoJsonPopup(["pipe_id", *ATTRIBUTES]),
        style_function=lambda f: {"color": "#7A4A2E"},
    ).add_to(the_map)
    inline = len(the_map.get_root().render().encode())
    inline_s = time.perf_counter() - begin
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        named = webmap.StandaloneConfig("City", "2026-11-25", columns={"pipes": ATTRIBUTES})
        alone = webmap.standalone({"pipes": some}, named, Path(folder) / "a.html").stat().st_size
    alone_s = time.perf_counter() - begin
    parts = webmap.page_parts(webmap.page_map(webmap.MapConfig()))
    tiled = len((parts.head + parts.body + parts.script).encode())
    print(
        f"20,000 lines, 10 attributes: Folium inline GeoJSON {inline / 1e6:.1f} MB in {inline_s:.1f} s; "
        f"stand-alone page {alone / 1e6:.2f} MB in {alone_s:.1f} s; page with tiles {tiled / 1e3:.1f} KB"
    )
    return {
        "inline_bytes": inline,
        "inline_s": inline_s,
        "standalone_bytes": alone,
        "standalone_s": alone_s,
        "tiled_bytes": tiled,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--no-postgis", action="store_true")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    frame = city(options.lines)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wanted = addresses(frame)
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        tiles.build(frame, folder, attributes=ATTRIBUTES, key="pipe_id", version="1")
        build_s = time.perf_counter() - begin
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        size = sum(p.stat().st_size for p in Path(folder).rglob("*.bin")) / 1e6
        begin = time.perf_counter()
        source = tiles.open(folder)
        open_ms = (time.perf_counter() - begin) * 1e3
        print(
            f"{len(frame):,} lines: built in {build_s:.1f} s (peak {peak:.0f} MB, {before:.0f} before), {size:.0f} MB on disk, "
            f"opened in {open_ms:.1f} ms"
        )
        print("p50/p95 in ms per zoom, mean KB per zoom")
        found = {"build_s": build_s, "open_ms": open_ms, "disk_mb": size, "peak_mb": peak}
        found["ours"] = measure("ours", source.tile, wanted)
        mask = (frame["kind"] == "sewage").to_numpy()
        found["masked"] = measure("ours, masked to sewage", lambda z, x, y: source.tile(z, x, y, mask=mask), wanted)
    if not options.no_postgis:
        found["postgis"] = postgis(frame, wanted)
    found["pages"] = pages(frame)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
