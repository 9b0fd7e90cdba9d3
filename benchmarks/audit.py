"""This module measures the audit: from file to findings, against `pyogrio.read_arrow`, with the truth planted.

    python benchmarks/audit.py [pipes ...] [--peer] [--manholes]       default 20000 200000 1000000

The layers are pipes, outlets and compounds; with ``--manholes`` as many manholes as pipes come with them.

Each size is generated once into a GeoPackage and then read and audited in a process of its own: from nothing (``cold``), and
with the compiled loops loaded as in a server (``warm``, the better of two). CPU seconds are printed beside wall-clock
seconds, because shared machines are noisy; ratios are of CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyogrio

sys.path.insert(0, str(Path(__file__).parent))
import towns

COLUMNS = ["pipe_id", "kind", "flow", "from_invert_m", "to_invert_m", "diameter_mm"]


def write(size: int, folder: Path, manholes: bool = False) -> dict[str, Path]:
    """Generate a town of so many pipes; layers and truth as files."""
    town = towns.make(size)
    paths = {}
    for name, table in town.layers.items():
        if name == "manholes" and not manholes:
            continue
        paths[name] = folder / f"{name}-{size}.gpkg"
        kind = {"pipes": "LineString", "compounds": "Polygon"}.get(name, "Point")
        pyogrio.write_arrow(
            table, paths[name], layer=name, driver="GPKG", geometry_type=kind, crs=towns.CRS, geometry_name="geometry",
            layer_options={"SPATIAL_INDEX": "NO"},
        )  # fmt: skip
    paths["truth"] = folder / f"truth-{size}.json"
    paths["truth"].write_text(json.dumps([{k: sorted(v) for k, v in town.truth.items()}, town.verdicts]))
    return paths


def read(path: Path) -> pa.Table:
    meta, table = pyogrio.read_arrow(path)
    return table.rename_columns(["geometry" if c == meta["geometry_name"] else c for c in table.column_names])


def measure(folder: Path, size: int, runs: int) -> None:
    """Read and audit in this process; print one JSON object."""
    wall, cpu = time.perf_counter(), time.process_time()
    from mapapp import audit
    from mapapp.core import machine

    imports = time.process_time() - cpu
    out: dict[str, object] = {"pipes": size, "imports": imports}
    layers = [
        name for name in ("pipes", "manholes", "outlets", "compounds") if (folder / f"{name}-{size}.gpkg").exists()
    ]
    floors = []
    for _ in range(2):
        at = time.process_time()
        pyogrio.read_arrow(folder / f"pipes-{size}.gpkg", columns=COLUMNS)
        floors.append(time.process_time() - at)
    out["read_arrow"] = min(floors)
    for label in ("cold", "warm", "warm")[:runs]:
        if label == "warm" and size >= 100_000:
            machine.prepare()  # as in a server that has audited something large before
        at, mark = time.perf_counter(), time.process_time()
        result = None  # an earlier answer is not part of the peak
        result = audit.run({name: read(folder / f"{name}-{size}.gpkg") for name in layers})
        out[label] = min(time.process_time() - mark, float(out.get(label, "inf")))
        out[label + "_wall"] = time.perf_counter() - at
    out["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    out["shell_wall"] = time.perf_counter() - wall
    truth, verdicts = json.loads((folder / f"truth-{size}.json").read_text())
    found = result.findings
    worst = {"precision": 1.0, "recall": 1.0}
    for rule in sorted(set(truth) | set(found["rule"])):
        got, true = set(found.loc[found["rule"] == rule, "feature_id"]), set(truth.get(rule, ()))
        right = len(got & true)
        worst["precision"] = min(worst["precision"], right / len(got) if got else 1.0)
        worst["recall"] = min(worst["recall"], right / len(true) if true else 1.0)
    answer = dict(zip(result.verdicts["compound_id"], result.verdicts["verdict"], strict=True))
    out |= worst | {"rules": len(truth), "verdicts_wrong": sum(answer[c] != v for c, v in verdicts.items())}
    out["findings"] = len(found)
    print(json.dumps(out))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[20_000, 200_000, 1_000_000])
    parser.add_argument("--peer", action="store_true", help="also run the geopandas + networkx script (up to 200,000)")
    parser.add_argument("--manholes", action="store_true", help="with a manhole at every node")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    if args.measure:
        measure(Path(args.measure[0]), int(args.measure[1]), args.runs)
        return
    head = (
        "pipes",
        "read_arrow",
        "cold",
        "warm",
        "x read_arrow",
        "peak MB",
        "precision",
        "recall",
        "rules",
        "wrong",
        "peer",
    )
    print("  ".join(f"{h:>12}" for h in head))
    with tempfile.TemporaryDirectory() as temp:
        folder = Path(temp)
        for size in args.sizes:
            write(size, folder, args.manholes)
            line = [sys.executable, __file__, "--measure", str(folder), str(size), "--runs", str(args.runs)]
            m = json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
            best = m.get("warm", m["cold"])
            peer = ""
            if args.peer and size <= 200_000:
                script = [sys.executable, str(Path(__file__).with_name("peer_geopandas.py")), str(folder), str(size)]
                seconds = json.loads(subprocess.run(script, check=True, capture_output=True, text=True).stdout)[
                    "seconds"
                ]
                peer = f"{seconds:.1f} s, {seconds / best:.0f}x"
            row = (
                f"{size:,}", f"{m['read_arrow']:.2f}", f"{m['cold']:.2f}", f"{best:.2f}", f"{best / m['read_arrow']:.1f}",
                f"{m['peak_mb']:.0f}", f"{m['precision']:.3f}", f"{m['recall']:.3f}", str(m["rules"]), str(m["verdicts_wrong"]), peer,
            )  # fmt: skip
            print("  ".join(f"{v:>12}" for v in row), flush=True)
            for path in folder.glob(f"*-{size}.*"):
                path.unlink()


if __name__ == "__main__":
    main()
