"""This module is the group that all commands hang on."""

from __future__ import annotations

import click

from mapapp import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="mapapp")
def main() -> None:
    """mapapp: status of renovated compounds, missing sewer links with evidence, one link to share.

    DB is a GeoPackage path or a postgresql:// URL.
    """
