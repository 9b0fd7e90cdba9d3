"""This module sizes networks with a published design and sets the two costs side by side.

python benchmarks/plan_literature.py
"""

from __future__ import annotations

import time

import pandas as pd

from mapapp import resources
from mapapp.plan.hydraulics import size_sewers
from mapapp.plan.prices import load_prices
from mapapp.plan.standard import load_standard


def main() -> None:
    """Print one line per network in ``geodata/literature``."""
    for path in sorted(resources.geodata("literature").glob("*.csv")):
        pipes = pd.read_csv(path)
        standard = load_standard(path.with_name(f"{path.stem}-standard.toml"))
        prices = load_prices(path.with_name(f"{path.stem}-prices.toml"))
        found = size_sewers(pipes, standard, prices, pumps=False)
        start = time.perf_counter()
        found = size_sewers(pipes, standard, prices, pumps=False)
        seconds = time.perf_counter() - start
        published = float(pipes["published_cost_thousand"].sum())
        ours = found["cost"].sum() / 1000
        print(
            f"{path.stem}: {len(pipes)} pipes, published {published:,.0f}, found {ours:,.0f} ({ours / published - 1:+.2%}), "
        )
        print(f"  {seconds:.3f} s, greatest depth {found['depth_down_m'].max():.2f} m, in thousand {prices.currency}")


if __name__ == "__main__":
    main()
