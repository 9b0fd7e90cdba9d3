"""This module is the commands that serve a county."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping

import click

from mapapp.cli.group import main
from mapapp.cli.terminal import faults, say, show, who
from mapapp.core.text import Text


def _serve(db: str, host: str, port: int, workers: int, *, facts: Mapping[str, object] | None = None) -> None:
    """Serve; ``facts`` are printed as one JSON object with the address in it, instead of the line for a person."""
    from mapapp.settings import Settings
    from mapapp.web import serving

    def as_json(name: str, url: str) -> None:
        click.echo(json.dumps({"database": db, "name": name, **(facts or {}), "address": url}, ensure_ascii=False))
        sys.stdout.flush()

    settings = Settings.from_environ(os.environ, database=db, host=host, port=port, workers=workers)
    serving.serve(settings, announce=serving.announce if facts is None else as_json)


@main.command("serve")
@click.argument("db")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, with the address.")
def serve(db: str, host: str, port: int, workers: int, as_json: bool) -> None:
    """Serve the map of one county. Off a loopback address, users must log in."""
    with faults(as_json):
        _serve(db, host, port, workers, facts={"pid": os.getpid()} if as_json else None)


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
        if no_serve or not as_json:
            show((done, say((made if done["built"] else there).format(**done))), as_json)
        if not no_serve:
            _serve(db, host, port, 1, facts={**done, "pid": os.getpid()} if as_json else None)
