"""This module runs the peer pysewer on its own example and writes its sewers down; it needs pysewer's environment, not ours.

    python -m venv peer && peer/bin/pip install pysewer==0.3.1
    python benchmarks/plan_oman.py --peer peer/bin/python

Its own way as in its guide: model, connection graph, lowest point as plant, routing, peak flow, hydraulics; its own demand figures
(`plan_oman.py`). Prints one JSON line: seconds, peak memory, stations, length. The clock starts after the imports.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import time
import warnings
from pathlib import Path

import pysewer


def main() -> None:
    folder, out = sys.argv[1:3]
    warnings.simplefilter("ignore")
    start, cpu = time.perf_counter(), time.process_time()
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        model = pysewer.ModelDomain(
            f"{folder}/1_DEM/dem_10m1.tif",
            f"{folder}/3_Roads/roads_projected.shp",
            f"{folder}/2_Buildings/buildings_projected.shp",
        )
        model.set_sink_lowest()
        graph = model.generate_connection_graph()
        sinks = model.get_sinks()
        layout = pysewer.rsph_tree(graph, sinks)
        flows = pysewer.estimate_peakflow(layout, inhabitants_dwelling=3, daily_wastewater_person=0.2, peak_factor=2.3)
        sewers = pysewer.calculate_hydraulic_parameters(flows, sinks=sinks)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    info = pysewer.get_sewer_info(sewers)
    pumped = {n for n, d in sewers.nodes(data=True) if d.get("pumping_station") or d.get("lifting_station")}
    with Path(out).open("w", encoding="utf-8") as file:
        file.write("length_m,diameter_mm,depth_up_m,mean_depth_m,station,flow_lps,lift_m\n")
        for a, _, d in sewers.edges(data=True):
            row = (
                float(d["geometry"].length), 1000.0 * float(d["diameter"]),
                float(d["profile"][0][1] - d["trench_depth_profile"][0][1]), float(d["mean_td"]), int(a in pumped),
                1000.0 * float(sewers.nodes[a]["peak_flow"]), max(float(sewers.nodes[a]["total_static_head"]), 0.0),
            )  # fmt: skip
            file.write(",".join(map(str, row)) + "\n")
    print(
        json.dumps(
            {
                "seconds": seconds,
                "cpu": time.process_time() - cpu,
                "peak_gb": peak,
                "sink": [str(s) for s in sinks],
                **info,
            }
        )
    )


if __name__ == "__main__":
    main()
