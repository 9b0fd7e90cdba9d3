"""This module holds the chain of renovation statuses and what each counts as.

The words are those of the planners' ledgers; "counts as" follows national reporting: a compound that is completed is
also started, one that is accepted is also completed. A relapse is a flag on a finished compound, not a step back.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from mapapp.core.text import Text

LABELS: Final = MappingProxyType(
    {
        "surveyed": Text("已摸底", "surveyed"),
        "reserved": Text("已储备", "reserved"),
        "planned": Text("列入计划", "planned"),
        "preparing": Text("前期", "preparing"),
        "started": Text("已开工", "started"),
        "under_way": Text("在建", "under way"),
        "completed": Text("已完工", "completed"),
        "accepted": Text("已竣工验收", "accepted"),
        "handed_over": Text("已移交", "handed over"),
        "managed": Text("长效管理", "managed"),
        "relapsed": Text("反弹", "relapsed"),
        "withdrawn": Text("调出计划", "withdrawn"),
    }
)
"""Every status in the order of the chain."""

COMPLETED: Final = frozenset({"completed", "accepted", "handed_over", "managed", "relapsed"})
"""Statuses that count as completed (完工数)."""

STARTED: Final = COMPLETED | {"started", "under_way"}
"""Statuses that count as started (开工数)."""

ACCEPTED: Final = frozenset({"accepted", "handed_over", "managed", "relapsed"})
"""Statuses after the joint acceptance (竣工验收)."""

IN_PLAN: Final = frozenset(LABELS) - {"surveyed", "reserved", "withdrawn"}
"""Statuses that count in a year's plan (计划数)."""
