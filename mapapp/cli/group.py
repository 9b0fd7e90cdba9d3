"""This module is the group that all commands hang on."""

from __future__ import annotations

import json
from typing import Any

import click

from mapapp import __version__


class Commands(click.Group):
    """Commands that answer in JSON where ``--json`` asks for it, also when the command itself is misspelt."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; say what is wrong with its options on stderr and, with ``--json``, on stdout."""
        as_json = "--json" in ctx.args
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if as_json:
                click.echo(json.dumps({"error": error.format_message(), "where": None}, ensure_ascii=False))
            raise


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mapapp")
def main() -> None:
    """mapapp: status of renovated compounds, missing sewer links with evidence, one link to share.

    DB is a GeoPackage path or a postgresql:// URL.
    """
