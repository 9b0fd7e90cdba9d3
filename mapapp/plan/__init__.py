"""This module is the room that plans missing links: `run`, its answer, standards and price books."""

from __future__ import annotations

from mapapp.plan.planning import Plan, check_drawn, run, warm_up
from mapapp.plan.prices import Prices, load_prices
from mapapp.plan.quantities import bill
from mapapp.plan.standard import Standard, load_standard

__all__ = ["Plan", "Prices", "Standard", "bill", "check_drawn", "load_prices", "load_standard", "run", "warm_up"]
