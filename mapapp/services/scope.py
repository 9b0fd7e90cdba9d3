"""This module decides who may see what: which layers, columns and rows a user's role or a share opens, and how exactly.

Everything that leaves the house passes `access` first. It allows; it never denies: what is not named is not there. The
share limits are table 4.1 of the planners' guide, written once, here, and applied on every request, so that a stored
share can never open more than the table allows today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

from mapapp.core import disclosure, schema
from mapapp.core.errors import ForbiddenError, InputError
from mapapp.core.text import Text

Role = Literal["viewer", "editor", "administrator"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
Kind = Literal["public", "unit"]
Rows = Literal["all", "shared", "own_pipes", "own_nodes", "own_problems", "gaps"]

COMPOUND_EXTRA: Final = (
    "verdict",
    "evidence",
    "evidence_en",
    "distance_m",
    "rules",
    "unit",
    "letter",
    "problems_open",
    "sewer_pending",
    "relapsed",
)
"""Columns that the view adds to a compound: from the audit, the problem list and the style table."""

_MONEY: Final = ("invest_", "fund_")
_LEVELS: Final = frozenset(
    [
        "from_depth_m",
        "to_depth_m",
        "from_invert_m",
        "to_invert_m",
        "ground_elev_m",
        "depth_m",
        "water_depth_m",
        "mud_depth_m",
        "outlet_invert_m",
    ]
)
FREE_TEXT: Final = frozenset({"plan_file", "note", "description", "measure", "minutes", "message", "evidence", "fix"})
_ROUTE: Final = ("link_id", "compound_ids", "length_m", "diameter_mm", "pump")
_ROUTE_LEVELS: Final = (
    "slope", "ground_up_m", "ground_down_m", "invert_up_m", "invert_down_m", "depth_up_m", "depth_down_m",
)  # fmt: skip
_ROUTE_MONEY: Final = ("cost_low", "cost", "cost_high")
_BASIC: Final = frozenset({"compound_id", "name", "street", "status", "programme_year", "letter"})


EVERYWHERE: Final = "*"
"""The embedding origin of a share that any site may frame."""


@dataclass(frozen=True, slots=True)
class ShareSpec:
    """What a share opens: the state of a view, and the choices of its maker. Stored as JSON.

    Parameters
    ----------
    kind : {"public", "unit"}
        A link for anybody who has it, or for one unit.
    layers : tuple of str
        Layers shown; those the kind does not allow are left out by `allowed_layers`.
    filters : mapping
        Column of compounds to values; fixes the rows.
    columns : mapping of layer to tuple of str
        Narrows the columns of a layer; a layer that is not named has its default columns.
    snapshot : str, optional
        Fixed to this snapshot; None follows the live data.
    unit : str
        The receiving unit's name as it stands in ownership and responsibility columns (unit links).
    investment, gaps, levels, descriptions, download : bool
        What table 4.1 leaves to the maker.
    photos : bool
        Whether a unit link shows the photos of the unit's own problems, see `Scope.sees_photos`.
    reply : bool
        Whether its holder may send opinions about its compounds; they are kept and never shown back.
    embed : tuple of str
        Origins that may frame the page, or `EVERYWHERE`; empty for none.
    title, place : str
        Heading, and ``z/lat/lon`` where it opens.
    """

    kind: Kind = "public"
    layers: tuple[str, ...] = ("compounds",)
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    snapshot: str | None = None
    unit: str = ""
    investment: bool = False
    gaps: bool = False
    levels: bool = False
    descriptions: bool = False
    download: bool = False
    photos: bool = False
    reply: bool = False
    embed: tuple[str, ...] = ()
    title: str = ""
    place: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values, with a version so that old links keep opening."""
        return {"version": 1, **asdict(self)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ShareSpec:
        """Read what `as_json` wrote; unknown members of a later version are ignored, missing ones take their default."""
        known = {name: stored[name] for name in cls.__dataclass_fields__ if name in stored}
        for name in ("layers", "embed"):
            known[name] = tuple(known.get(name, getattr(cls(), name)))
        for name in ("filters", "columns"):
            known[name] = {str(k): tuple(str(i) for i in v) for k, v in dict(known.get(name) or {}).items()}
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Scope:
    """Who asks: a user with a role, or the holder of a share.

    Parameters
    ----------
    name : str
        User name, or the share's recipient.
    role : str, optional
        None for a share.
    share : ShareSpec, optional
        None for a user.
    """

    name: str
    role: Role | None = None
    share: ShareSpec | None = None

    def __post_init__(self) -> None:
        if (self.role is None) == (self.share is None):
            raise ValueError("a scope is either a user with a role or a share")

    @property
    def edits(self) -> bool:
        """Whether the asker may change data."""
        return self.role in ("editor", "administrator")

    @property
    def administers(self) -> bool:
        """Whether the asker may manage users and every share."""
        return self.role == "administrator"

    @property
    def downloads(self) -> bool:
        """Whether tables may be taken away: every user; a unit link where its maker allowed it; a public link never."""
        return self.share is None or (self.share.kind == "unit" and self.share.download)

    @property
    def sees_photos(self) -> bool:
        """Whether photos may be seen: editors; a unit link where its maker ticked it, those of its own problems; else never."""
        return self.edits if self.share is None else self.share.kind == "unit" and self.share.photos

    def require_editor(self) -> None:
        """Raise `ForbiddenError` unless the asker may change data."""
        if not self.edits:
            raise ForbiddenError(
                Text("您只能查看，不能修改。", "You may look at this, but not change it."),
                Text("请向管理员申请编辑权限。", "Ask an administrator for the editor role."),
            )

    def require_administrator(self) -> None:
        """Raise `ForbiddenError` unless the asker is an administrator."""
        if not self.administers:
            raise ForbiddenError(Text("此操作需要管理员。", "This needs an administrator."))


@dataclass(frozen=True, slots=True)
class Access:
    """What one asker sees of one layer.

    Parameters
    ----------
    layer : str
    columns : frozenset of str, optional
        The allow-list; None for every column that is not personal (users), see `allows`.
    personal : bool
        Whether personal columns are open.
    rounded : bool
        Whether figures are rounded by `disclosure.STEPS`.
    precision : str
        See `disclosure.Precision`.
    rows : str
        Which rows: ``all``; ``shared`` compounds (the share's filters) and what hangs on them; ``own_…`` of the unit;
        ``gaps``: findings about shared compounds themselves. A row that names several compounds names shared ones alone.
    counts_only : bool
        Whether only numbers of rows are told, never a row.
    """

    layer: str
    columns: frozenset[str] | None = None
    personal: bool = False
    rounded: bool = False
    precision: disclosure.Precision = "full"
    rows: Rows = "all"
    counts_only: bool = False

    def allows(self, column: str) -> bool:
        """Whether a column may be shown, filtered, sorted or searched by this asker."""
        if column == "geometry":
            return self.precision != "none"
        if self.columns is not None:
            return column in self.columns
        if self.personal:
            return True
        declared = schema.layer(self.layer).column(column)
        if declared is not None:
            return not declared.personal
        return column in COMPOUND_EXTRA or not disclosure.sounds_personal(column)


def _declared(layer: str) -> frozenset[str]:
    found = schema.layer(layer)
    return frozenset(c.name for c in found.columns if not c.personal and c.name not in FREE_TEXT) | {found.key}


def _public(spec: ShareSpec) -> Mapping[str, Access]:
    columns = _BASIC | {"households", "floor_area_m2", "buildings"}
    if spec.investment:
        columns |= {"invest_total_wan"}
    if spec.gaps:
        columns |= {"sewer_pending"}
    return {
        "compounds": Access("compounds", columns, rounded=True, precision="coarse", rows="shared"),
        "problems": Access("problems", frozenset({"category"}), precision="none", rows="shared", counts_only=True),
    }


def _unit(spec: ShareSpec) -> Mapping[str, Access]:
    hidden = frozenset() if spec.levels else _LEVELS
    compounds = _declared("compounds") - hidden | {
        "letter"
    }  # not "unit": it names every other unit that has an item there
    if not spec.investment:
        compounds = frozenset(c for c in compounds if not c.startswith(_MONEY))
    problems = {"ticket_id", "compound_id", "category", "raised_at", "lead_unit", "co_units", "utility_owner", "due"}
    problems |= {"status"} | ({"description", "measure"} if spec.descriptions else set())
    open_ = {
        "compounds": Access("compounds", compounds | ({"verdict"} if spec.gaps else set()), rows="shared"),
        "streets": Access("streets", frozenset({"street_id", "name", "class"})),
        "problems": Access("problems", frozenset(problems), precision="none", rows="own_problems"),
    }
    if spec.gaps:
        gap = frozenset({"finding_id", "rule", "severity", "layer", "feature_id", "status"})
        open_["findings"] = Access("findings", gap, precision="point", rows="gaps")
        verdict = frozenset({"compound_id", "verdict"})
        open_["verdicts"] = Access("verdicts", verdict, precision="point", rows="shared")
        # a planned link is nobody's pipe yet: its route, without the manhole or pipe of another unit that it joins
        route = (*_ROUTE, *(_ROUTE_LEVELS if spec.levels else ()), *(_ROUTE_MONEY if spec.investment else ()))
        open_["links"] = Access("links", frozenset(route), precision="route", rows="shared")
    if spec.unit:
        open_["pipes"] = Access("pipes", _declared("pipes") - hidden, rows="own_pipes")
        open_["manholes"] = Access("manholes", _declared("manholes") - hidden - {"x_north", "y_east"}, rows="own_nodes")
    return open_


def allowed_layers(spec: ShareSpec) -> Mapping[str, Access]:
    """Return what table 4.1 allows a share of this kind at most, by layer, whatever its stored layers say."""
    return MappingProxyType(dict(_public(spec) if spec.kind == "public" else _unit(spec)))


def why_left_out(layer: str, kind: Kind) -> Text:
    """Return the sentence that tells a maker why a layer is not in a share."""
    title = schema.layer(layer).title
    reasons = {
        "public": Text(
            "公开链接不含“{layer}”：排水管线、井、标高及人员资料一律不公开。",
            "A public link never carries {layer}: pipes, manholes, levels and people stay inside.",
        ),
        "unit": Text(
            "单位链接不含“{layer}”，或须先填写接收单位、勾选缺口。",
            "A unit link does not carry {layer}, or needs the unit's name or the gaps option first.",
        ),
    }
    return reasons[kind].format(layer=title)


def access(scope: Scope, layer: str) -> Access | None:
    """Return what the asker sees of a layer; None when, to this asker, the layer does not exist.

    A viewer sees every layer without personal columns, an editor everything, a share what its kind allows and its maker
    chose, whichever is less.
    """
    if layer not in schema.layers():
        return None
    if scope.share is None:
        return Access(layer, personal=scope.edits)
    spec = scope.share
    allowed = allowed_layers(spec).get(layer)
    if allowed is None or layer not in spec.layers:
        return None
    chosen = spec.columns.get(layer)
    if chosen is None or allowed.columns is None or allowed.counts_only:
        return allowed
    key = schema.layer(layer).key
    columns = allowed.columns & (frozenset(chosen) | {key})
    return Access(layer, columns, allowed.personal, allowed.rounded, allowed.precision, allowed.rows)


def check_spec(spec: ShareSpec) -> None:
    """Refuse a share that names nothing we know.

    Raises
    ------
    InputError
        For a kind, layer, column or embedding origin that cannot be used; nothing is silently dropped here.
    """
    if spec.kind not in get_args(Kind):
        raise InputError(Text(f"分享类型“{spec.kind}”未知。", f"Share kind {spec.kind!r} is unknown."), where="kind")
    for layer in spec.layers:
        schema.layer(layer)
    if spec.kind == "unit" and not spec.unit.strip():
        raise InputError(
            Text("单位链接没有接收单位。", "A unit link names no unit."),
            Text("请填写接收单位名称。", "Give the receiving unit's name."),
            where="unit",
        )
    for origin in spec.embed:
        _check_origin(origin)


def _check_origin(origin: str) -> None:
    if origin == EVERYWHERE:
        return
    scheme, _, rest = origin.partition("://")
    plain = rest and all(c.isalnum() or c in ".-:*[]" for c in rest)
    if scheme not in ("https", "http") or not plain:
        raise InputError(
            Text(f"“{origin}”不是可嵌入的网站地址。", f"{origin!r} is not the origin of a site that may embed."),
            Text("例如 https://www.county.gov.cn。", "For example https://www.county.gov.cn."),
            where="embed",
        )


def columns_of(allowed: Access, names: Sequence[str]) -> list[str]:
    """Return the names that may be shown, in the given order, geometry last."""
    shown = [name for name in names if name != "geometry" and allowed.allows(name)]
    return shown + (["geometry"] if "geometry" in names and allowed.allows("geometry") else [])
