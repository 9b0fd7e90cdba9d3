"""This module measures replanning the demo county: the library, and the whole job as the plan page starts it.

    mapapp demo demo-county.gpkg --no-serve
    python benchmarks/plan_demo.py demo-county.gpkg [--times 3]

The job reads the layers, plans, checks the answer with SWMM and stores it; the clock runs from the request to "done". It works on
a copy of the database.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from mapapp import plan
from mapapp.services import plan_jobs, planning
from mapapp.services.frames import County
from mapapp.services.scope import Scope


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database")
    parser.add_argument("--times", type=int, default=3)
    option = parser.parse_args()
    plan.warm_up()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "county.gpkg"
        shutil.copy(option.database, path)
        county = County(str(path))
        choices = planning.Choices()
        standard, prices = planning.load_books(county.db, choices)
        layers = planning.layers_of(county.db)
        for _ in range(option.times):
            start, cpu = time.perf_counter(), time.process_time()
            made = planning.compute(layers, standard=standard, prices=prices)
            print(
                f"library: {time.perf_counter() - start:.2f} s ({time.process_time() - cpu:.2f} CPU), "
                f"{made.summary['linked']} linked, {made.summary['refused']} refused, {made.summary['gap_pct']:.1f} %",
                flush=True,
            )
        asker = Scope("benchmark", role="administrator")
        for _ in range(option.times):
            start, cpu = time.perf_counter(), time.process_time()
            job = plan_jobs.start(county, asker, choices)
            while (state := county.db.jobs.get(job).state) in ("waiting", "running"):
                time.sleep(0.02)
            print(
                f"job: {time.perf_counter() - start:.2f} s ({time.process_time() - cpu:.2f} CPU), {state}", flush=True
            )
        county.close()


if __name__ == "__main__":
    main()
