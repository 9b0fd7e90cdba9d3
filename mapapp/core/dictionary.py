"""This module writes the data dictionary, the page that says what every column of every layer means."""

from __future__ import annotations

from mapapp.core.schema import Column, Layer, layers

_HEAD = """# Data dictionary · 数据字典

What every layer holds, in which unit, and by which names files call it. Generated from `geodata/field-dictionary.csv`
by `python -m mapapp.core.dictionary > docs/data-dictionary.md`; edit the CSV, not this page.

Missing is empty, never a number that stands for missing. Columns marked *personal* are for editors only and are in no
share, tile or log. Codes are stored as written before the bracket; the words in brackets are recognised on import.
"""
_GEOMETRY = {"point": "点 point", "line": "线 line", "polygon": "面 polygon"}


def markdown() -> str:
    """Return the page in Markdown: stored layers first, then those we derive."""
    parts = [_HEAD]
    for layer in layers().values():
        parts.append(_section(layer))
    return "\n".join(parts)


def _section(layer: Layer) -> str:
    shapes = "、".join(_GEOMETRY[g] for g in layer.geometry) or "表 table"
    kind = "derived, for export" if layer.derived else "imported"
    lines = [
        f"## {layer.title.zh} · `{layer.name}`",
        "",
        f"{layer.title.en}; {shapes}; key `{layer.key}`; {kind}.",
        "",
        "| column | 名称 | kind | unit | values | other names in files | meaning |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_row(column) for column in layer.columns]
    return "\n".join(lines) + "\n"


def _row(column: Column) -> str:
    codes = "; ".join(f"`{c.value}`" + (f" ({', '.join(c.words)})" if c.words else "") for c in column.codes)
    limits = ""
    if column.minimum is not None:
        limits = f"≥ {column.minimum:g}" if column.maximum is None else f"{column.minimum:g}-{column.maximum:g}"
    name = f"`{column.name}`" + (" *personal*" if column.personal else "")
    cells = (
        name,
        column.label.zh,
        column.kind,
        column.unit,
        codes or limits,
        ", ".join(column.aliases),
        column.meaning,
    )
    return "| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in cells) + " |"


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201  # this is the command that writes the page
