"""This module is the public face of the link layout: `steiner_tree`, its answer, and the warm-up of its kernels."""

from __future__ import annotations

from mapapp.plan.steiner.solver import SteinerTree, steiner_tree, warm_up

__all__ = ["SteinerTree", "steiner_tree", "warm_up"]
