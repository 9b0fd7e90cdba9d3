"""This module is what the commands share: answers, progress, faults as one message and an exit code."""

from __future__ import annotations

import functools
import getpass
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from mapapp.core.errors import MapappError
from mapapp.core.progress import Cancelled
from mapapp.core.text import Lang, Text


class OutFile(click.ParamType):  # type: ignore[type-arg]  # generic in newer clicks alone, and the old ones serve too
    """A file to be written: its folder must be there, so that nobody waits for work that cannot be kept."""

    name = "file"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path."""
        path = Path(str(value))
        if not path.parent.is_dir():
            words = Text("没有文件夹“{folder}”，请先建立。", "There is no folder {folder!r}; make it first.")
            self.fail(say(words.format(folder=str(path.parent))), param, ctx)
        if path.is_dir():
            self.fail(say(Text("“{name}”是文件夹。", "{name!r} is a folder.").format(name=path.name)), param, ctx)
        return path


Answer = tuple[Mapping[str, object], str]
"""What a command returns: the JSON object, and the same for a person to read."""


def language(environ: Mapping[str, str] = os.environ) -> Lang:
    """Return the language of the terminal: English where the locale or MAPAPP_LANG says so, else Chinese."""
    chosen = environ.get("MAPAPP_LANG") or environ.get("LC_ALL") or environ.get("LANG") or ""
    return "en" if chosen.lower().startswith("en") else "zh"


def say(text: Text) -> str:
    """Return the text in the terminal's language."""
    return text.pick(language())


def who() -> str:
    """Return the name under which changes are recorded: the user of this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no name for this uid, as in a bare container
        return "cli"


class Terminal:
    """Prints progress on stderr once the work takes longer than a second; a line at a time where it is no terminal."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._start = clock, clock()
        self._last, self._open = self._start, False

    def __call__(self, done: float, doing: Text) -> None:
        """Report; see `mapapp.core.progress.Progress`."""
        now = self._clock()
        live = sys.stderr.isatty()
        if now - self._start < 1 or now - self._last < (0.2 if live else 2.0):
            return
        self._last, self._open = now, live
        over = "\r\x1b[K" if live else ""  # write over the last line
        click.echo(f"{over}{done:4.0%} {say(doing)}", err=True, nl=not live)

    def close(self) -> None:
        """End an unfinished progress line."""
        if self._open:
            click.echo("", err=True)


@contextmanager
def faults(as_json: bool) -> Iterator[Terminal]:
    """Give a place to report progress to; turn whatever is raised into one message and an exit code."""
    terminal = Terminal()
    try:
        yield terminal
    except MapappError as error:
        terminal.close()
        click.echo(error.message(language()), err=True)
        if as_json:
            click.echo(json.dumps({"error": error.message(language()), "where": error.where}, ensure_ascii=False))
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, Cancelled):
        terminal.close()
        click.echo(say(Text("已取消，什么也没有写入。", "Cancelled; nothing was written.")), err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as error:  # our fault, whatever it is: the person gets one sentence
        terminal.close()
        if os.environ.get("MAPAPP_DEBUG"):
            traceback.print_exc()
        fault = Text(
            "程序内部出错（{name}：{what}）。数据没有改动。设置 MAPAPP_DEBUG=1 可查看详情并反馈给我们。",
            "This is our fault ({name}: {what}). No data was changed. "
            "Set MAPAPP_DEBUG=1 for the details, and please report them.",
        )
        words = say(fault.format(name=type(error).__name__, what=error))
        click.echo(words, err=True)
        if as_json:
            click.echo(json.dumps({"error": words, "where": None}, ensure_ascii=False))
        sys.exit(1)
    terminal.close()


def show(answer: Answer, as_json: bool) -> None:
    """Print an answer on stdout, as one JSON object or for a person."""
    facts, words = answer
    click.echo(json.dumps(facts, ensure_ascii=False, default=str) if as_json else words)


def command(function: Callable[..., Answer]) -> Callable[..., None]:
    """Give a function that returns an `Answer` the ``--json`` option, progress and error handling."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
    @functools.wraps(function)
    def run(*args: object, as_json: bool, **options: object) -> None:
        with faults(as_json) as terminal:
            answer = function(*args, progress=terminal, **options)
        show(answer, as_json)

    return run


def subcommand(group: click.Group, name: str) -> Callable[[Callable[..., Answer]], click.Command]:
    """Hang a function that returns an `Answer` on a group as a command."""
    return lambda function: group.command(name)(command(function))
