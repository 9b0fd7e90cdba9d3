"""This module is the commands that serve a county."""

from __future__ import annotations

import os

import click

from mapapp.cli.group import main
from mapapp.cli.terminal import faults, say, show, who
from mapapp.core.text import Text


def _serve(db: str, host: str, port: int, workers: int) -> None:
    from mapapp.settings import Settings
    from mapapp.web import serving

    serving.serve(Settings.from_environ(os.environ, database=db, host=host, port=port, workers=workers))


@main.command("serve")
@click.argument("db")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64))
def serve(db: str, host: str, port: int, workers: int) -> None:
    """Serve the map of one county. Off a loopback address, users must log in."""
    with faults(as_json=False):
        _serve(db, host, port, workers)


@main.command("demo")
@click.argument("db", default="demo-county.gpkg")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--no-serve", is_flag=True, help="Only build the county.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def demo(db: str, host: str, port: int, no_serve: bool, as_json: bool) -> None:
    """Build the demo county when it is absent, serve it, print the address."""
    with faults(as_json) as progress:
        from mapapp.services import demo as service

        done = service.build(db, by=who(), progress=progress)
    made = Text("演示县已建立：{database}", "Demo county built: {database}")
    there = Text("演示县已存在：{database}", "Demo county is already there: {database}")
    show((done, say((made if done["built"] else there).format(**done))), as_json)
    if not no_serve:
        with faults(as_json=False):
            _serve(db, host, port, 1)
