"""This module runs the server: one socket, one or several processes, a clean end on SIGTERM."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from types import FrameType

from mapapp.core.errors import InputError
from mapapp.core.text import Text
from mapapp.services import uploads
from mapapp.services.frames import County
from mapapp.settings import Settings
from mapapp.web import secret

log = logging.getLogger("mapapp.web")
_PATIENCE_S = 8
"""How long workers may finish what they are answering before they are ended; what was acknowledged is on the disk."""


def listen(settings: Settings) -> socket.socket:
    """Return a listening socket; port 0 takes a free one.

    Raises
    ------
    InputError
        When the address cannot be used, with what to do.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((settings.host.strip("[]"), settings.port))
    except OSError as error:
        sock.close()
        raise InputError(
            Text(
                f"无法在 {settings.host}:{settings.port} 上监听。", f"Cannot listen on {settings.host}:{settings.port}."
            ),
            Text("端口可能已被占用；用 --port 0 取一个空闲端口。", "The port may be taken; --port 0 takes a free one."),
            where="--port",
        ) from error
    sock.listen(1024)
    return sock


def address(settings: Settings, sock: socket.socket) -> str:
    """Return the address to open in a browser."""
    host, port = sock.getsockname()[:2]
    shown = {"0.0.0.0": "localhost", "::": "localhost"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return settings.public_url or f"http://{shown}:{port}/"


def announce(name: str, url: str) -> None:
    """Print the one line that a person waits for."""
    print(f"{name}: {url}", flush=True)  # noqa: T201  # a person waits for it


def serve(settings: Settings, *, announce: Callable[[str, str], None] = announce) -> None:
    """Serve until the process is told to end.

    Calls ``announce`` with the county's name and the address once the socket listens. With several workers each is a process that shares the
    socket; one that dies is started anew.

    Raises
    ------
    InputError, NotFoundError
        When the database or the address cannot be used, before anything is served.
    """
    county = County(settings.database)
    name = county.db.name
    nobody = not settings.local and not county.db.users.list()
    county.close()  # each process opens its own
    if not settings.secret_key:  # before workers part, so that they share it
        settings = replace(settings, secret_key=secret.beside(settings.database))
    sock = listen(settings)
    announce(name, address(settings, sock))
    if nobody:
        hint = Text(
            "还没有用户，谁也登录不了。请先运行：mapapp user 数据库 add 用户名 --role administrator",
            "There is no user yet, so nobody can log in. Run: mapapp user DB add NAME --role administrator",
        )
        print(hint.pick(settings.language), file=sys.stderr, flush=True)  # noqa: T201
    if settings.workers == 1 or not hasattr(os, "fork"):
        _work(settings, sock)
    else:
        _supervise(settings, sock)


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _work(settings: Settings, sock: socket.socket) -> None:
    import waitress

    from mapapp.web.app import create_app

    logging.getLogger("waitress.queue").setLevel(
        logging.ERROR
    )  # a page asks for many tiles at once; that is no warning
    app = create_app(settings)
    uploads.warm_up(app.extensions["mapapp_county"])
    # only from here on: what is imported above may swallow an exception that a handler raises
    signal.signal(signal.SIGTERM, _stop)
    try:
        waitress.serve(
            app, sockets=[sock], threads=settings.threads, ident=None, channel_timeout=60,
            max_request_body_size=settings.upload_mb * 1_000_000 + 65_536, clear_untrusted_proxy_headers=True, _quiet=True,
        )  # fmt: skip
    finally:
        app.extensions["mapapp_county"].close()


def _end_with(parent: int) -> None:
    """End this worker when the process that supervises it is no more, however it ended."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def _supervise(settings: Settings, sock: socket.socket) -> None:
    children: set[int] = set()
    parent = os.getpid()
    ending = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal ending
        ending = True
        signal.signal(signal.SIGALRM, insist)
        signal.alarm(_PATIENCE_S)
        for child in list(children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)

    def insist(number: int, frame: FrameType | None) -> None:
        for child in list(children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def begin() -> None:
        # a signal that comes while a worker is being made waits until we know the worker and it knows what to do
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        child = -1 if ending else os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent passes it on
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
            code = 0
            threading.Thread(target=_end_with, args=(parent,), name="parent", daemon=True).start()
            try:
                _work(settings, sock)
            except SystemExit:
                pass
            except BaseException:
                log.exception("a worker ended by a fault")
                code = 1
            os._exit(code)
        if child > 0:
            children.add(child)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    for _ in range(settings.workers):
        begin()
    while children:
        try:
            child, _ = os.wait()
        except InterruptedError:
            continue
        children.discard(child)
        if not ending:
            time.sleep(0.5)  # a worker that cannot start must not burn the machine
            begin()
