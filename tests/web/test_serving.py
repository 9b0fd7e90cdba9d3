"""The real server: one socket, several processes, a clean end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mapapp.core.errors import InputError
from mapapp.settings import Settings
from mapapp.web import serving

RUN = """
import sys
from mapapp.settings import Settings
from mapapp.web import serving
serving.serve(Settings(database=sys.argv[1], port=0, workers=int(sys.argv[2]), secret_key="k"))
"""


def get(url: str) -> object:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return json.loads(answer.read())


@contextmanager
def running(county: Path, workers: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-W", "error", "-c", RUN, str(county), str(workers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server, server.stdout.readline().strip().rpartition(" ")[2]
            server.send_signal(signal.SIGTERM)
            assert server.wait(timeout=15) == 0
        finally:
            server.kill()


@pytest.mark.parametrize("workers", [1, 2])
def test_it_serves_and_ends_cleanly_on_sigterm(county: Path, workers: int) -> None:
    with running(county, workers) as (_, address):
        assert get(address + "healthz") == {"status": "ok"}
        assert [get(address + "api/summary")["totals"]["compounds"] for _ in range(6)] == [4] * 6


@pytest.mark.skipif(
    not Path("/proc").is_dir(), reason="children are found through /proc, which this system does not have"
)
def test_a_worker_that_dies_is_started_anew(county: Path) -> None:
    with running(county, 2) as (server, address):
        get(address + "healthz")
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children")
        first = children.read_text().split()
        os.kill(int(first[0]), signal.SIGKILL)
        for _ in range(100):
            time.sleep(0.1)
            now = children.read_text().split()
            if len(now) == 2 and first[0] not in now:
                break
        assert len(first) == len(now) == 2
        assert get(address + "healthz") == {"status": "ok"}


@pytest.mark.skipif(
    not Path("/proc").is_dir(), reason="children are found through /proc, which this system does not have"
)
def test_workers_end_with_the_process_that_watches_them_even_when_it_is_killed(county: Path) -> None:
    command = [sys.executable, "-c", RUN, str(county), "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        get(server.stdout.readline().strip().rpartition(" ")[2] + "healthz")
        workers = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        server.kill()
    for _ in range(150):
        alive = [
            w
            for w in workers
            if Path(f"/proc/{w}").is_dir() and "Z" not in Path(f"/proc/{w}/stat").read_text().split()[2]
        ]
        if not alive:
            break
        time.sleep(0.1)
    assert workers
    assert not alive


def test_a_port_that_is_taken_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(InputError, match="Cannot listen") as told:
        serving.listen(Settings(database="x.gpkg", port=other.getsockname()[1]))
    assert "--port 0" in told.value.message("zh")


def test_a_database_that_is_not_there_is_told_before_anything_is_served(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="county") as told:
        serving.serve(Settings(database=str(tmp_path / "county.gpkg"), port=0))
    assert hasattr(told.value, "exit_code")
