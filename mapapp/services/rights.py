"""This module decides which rows an editor may change: all of them, or those that name the editor's own unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from mapapp.core import schema
from mapapp.core.errors import ForbiddenError
from mapapp.core.text import Text
from mapapp.services import accounts, plain
from mapapp.services.frames import County
from mapapp.services.scope import Scope

if TYPE_CHECKING:
    from mapapp.services.importing import Preview

COMPOUND_UNITS: Final = ("owner_unit", "contractor", "supervisor", "designer")
"""Where a compound names the units that build there."""

_ANY_UNIT: Final = (
    *COMPOUND_UNITS, "ownership", "operator", "lead_unit", "co_units", "utility_owner", "owner", "manager",
)  # fmt: skip
"""Where a row of an import may name its unit, whatever layer it is of."""


def own_unit(county: County, scope: Scope) -> str | None:
    """Return the unit whose things this editor may change; None for all: administrators, and editors of no unit.

    Raises
    ------
    ForbiddenError
        For a viewer and for a share.
    """
    scope.require_editor()
    if scope.administers:
        return None
    account = accounts.find(county.db, scope.name)
    return (account.unit or "").strip() or None if account else None


def names_unit(row: Mapping[str, Any], unit: str, columns: Sequence[str]) -> bool:
    """Whether a row names the unit in one of the columns, alone or among several."""
    items = (str(row.get(c) or "").replace("；", ";").replace("、", ";").split(";") for c in columns)
    return any(unit == item.strip() for parts in items for item in parts)


def not_yours(unit: str) -> ForbiddenError:
    """Return the refusal for a row of another unit."""
    return ForbiddenError(
        Text(f"这不是{unit}的内容，不能修改。", f"This does not belong to {unit}."),
        Text("请联系牵头单位或管理员。", "Ask the lead unit or an administrator."),
    )


def may_change(county: County, scope: Scope, row: Mapping[str, Any], columns: Sequence[str]) -> bool:
    """Whether the asker edits all rows, or belongs to a unit that this row names in one of the columns."""
    if not scope.edits:
        return False
    unit = own_unit(county, scope)
    return unit is None or names_unit(row, unit, columns)


def require(county: County, scope: Scope, row: Mapping[str, Any], columns: Sequence[str]) -> None:
    """Raise `ForbiddenError` unless the asker may change this row; see `may_change`."""
    unit = own_unit(county, scope)
    if unit is not None and not names_unit(row, unit, columns):
        raise not_yours(unit)


def require_compound(
    county: County,
    scope: Scope,
    compound_id: str,
    *,
    or_named: tuple[Mapping[str, Any], Sequence[str]] = ({}, ()),
) -> None:
    """Raise `ForbiddenError` unless the asker edits all, or belongs to a unit that the compound names.

    Parameters
    ----------
    or_named : tuple
        A row that hangs on the compound, and its columns in which being named is enough.
    """
    unit = own_unit(county, scope)
    if unit is None or names_unit(or_named[0], unit, or_named[1]):
        return
    table = county.at(scope).frame("compounds")
    compound = plain.records(table[table["compound_id"] == compound_id])
    if not compound or not names_unit(compound[0], unit, COMPOUND_UNITS):
        raise not_yours(unit)


def require_import(county: County, scope: Scope, found: Preview) -> None:
    """Raise `ForbiddenError` when an import would add, change or remove a row of somebody else; see `require_rows`."""
    changes = found.changes
    changed = changes.differences["id"].astype("str").unique().tolist()
    touched = list(dict.fromkeys([*changes.added_ids, *changed, *changes.removed_ids]))
    require_rows(county, scope, found.layer, touched, found.reading.frame)


def require_rows(county: County, scope: Scope, layer: str, ids: Sequence[str], incoming: pd.DataFrame) -> None:
    """Raise `ForbiddenError` when an import by an editor who belongs to a unit touches a row of somebody else.

    Parameters
    ----------
    layer : str
        What is imported.
    ids : sequence of str
        Rows that would be added, changed or removed.
    incoming : DataFrame
        The rows as the file has them, with their key: of a new row they tell whose it is.
    """
    unit = own_unit(county, scope)
    if unit is None or not ids:
        return
    strangers = _of_others(county, scope, unit, layer, ids, incoming)
    if strangers:
        few, more = "、".join(strangers[:5]), "" if len(strangers) <= 5 else "…"
        raise ForbiddenError(
            Text(
                f"文件改动了 {len(strangers)} 行不属于{unit}的内容（{few}{more}），没有写入。",
                f"The file changes {len(strangers)} rows that do not belong to {unit} ({few}{more}); nothing was stored.",
            ),
            Text(
                "请只保留本单位的行，或由管理员导入。", "Leave your unit's rows alone in it, or ask an administrator."
            ),
        )


def _of_others(
    county: County, scope: Scope, unit: str, layer: str, ids: Sequence[str], incoming: pd.DataFrame
) -> list[str]:
    """Return the names (ids where there is none) of rows that are another unit's, before or after the import."""
    key = schema.layer(layer).key
    view = county.at(scope)
    table = view.table("compounds") if "compounds" in view.layers else pd.DataFrame()
    mine = {str(c["compound_id"]) for c in plain.records(pd.DataFrame(table)) if names_unit(c, unit, COMPOUND_UNITS)}
    stored = pd.DataFrame(county.db.read(layer, ids=sorted(set(ids)), geometry=False))
    held = {str(r[key]): r for r in plain.records(stored)}
    given = {str(r[key]): r for r in plain.records(pd.DataFrame(incoming.drop(columns="geometry", errors="ignore")))}
    strangers = []
    for id_ in ids:
        row = held.get(id_) or given.get(id_, {})
        about = str(row.get("compound_id") or "")
        own = about in mine if about else names_unit(row, unit, _ANY_UNIT)
        new = id_ not in held and names_unit(row, unit, _ANY_UNIT)
        if not (own or new):
            strangers.append(str(row.get("name") or id_))
    return strangers
