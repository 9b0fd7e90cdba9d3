"""Several processes write at once; what was acknowledged survives a kill, what was not leaves no trace."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mapapp import store

from .conftest import pipes, put

_WRITER = """
import sys
from mapapp import store
url, who, first, last = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with store.open(url) as db:
    for i in range(first, last):
        edit = db.edit("pipes", f"p{i % 4}", {"note": f"{who}-{i}"}, by=who)
        print(edit.edit_id, f"p{i % 4}", f"{who}-{i}", flush=True)
"""


def _start(url: str, who: str, first: int, last: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, url, who, str(first), str(last)], stdout=subprocess.PIPE, text=True
    )


def test_three_processes_write_the_same_rows_and_nothing_is_lost(county: store.Database) -> None:
    put(county, "pipes", pipes(4))
    writers = [_start(county.url, f"w{k}", 0, 12) for k in range(3)]
    acknowledged = [line.split() for w in writers for line in w.communicate(timeout=120)[0].splitlines()]
    assert [w.returncode for w in writers] == [0, 0, 0]
    told = county.history("pipes").query("column == 'note'")
    assert sorted(told["after"]) == sorted(value for _, _, value in acknowledged)
    assert len({number for number, _, _ in acknowledged}) == 36
    assert county.revision == 37
    for pipe, steps in told.groupby("id"):
        # each writer saw what the one before it left: no edit was made on a stale row
        assert steps["before"].tolist()[1:] == steps["after"].tolist()[:-1]
        assert county.row_version("pipes", pipe) == len(steps) + 1


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    path = str(tmp_path / "c.gpkg")
    with store.create(path, "c", "EPSG:4544") as db:
        put(db, "pipes", pipes(4))
    writer = _start(path, "w", 0, 100_000)
    assert writer.stdout is not None
    lines = [writer.stdout.readline() for _ in range(25)]
    writer.send_signal(signal.SIGKILL)
    lines += writer.stdout.readlines()
    writer.wait()
    writer.stdout.close()
    acknowledged = [line.split()[2] for line in lines if line.endswith("\n")]
    with store.open(path) as db:
        after = db.history("pipes").query("column == 'note'")["after"].tolist()
        assert after[: len(acknowledged)] == acknowledged
        assert len(after) <= len(acknowledged) + 1, "at most the one whose acknowledgement was on its way"
        assert set(db.read("pipes")["note"]) == set(after[-4:])
        assert put(db, "pipes", pipes(5)) == db.revision


_KILLED_IN_IMPORT = """
import os, signal, sys
import geopandas as gpd
from mapapp import store
from mapapp.store import sources
sources.record = lambda *a: os.kill(os.getpid(), signal.SIGKILL)   # after the rows, before the commit
with store.open(sys.argv[1]) as db:
    frame = db.read("pipes")
    frame = frame.loc[frame.index.repeat(800)].reset_index(drop=True)
    frame["pipe_id"] = [f"n{i}" for i in range(len(frame))]
    db.apply(db.compare("pipes", frame, "replace"), by="li", source="x")
"""


def test_an_import_killed_before_its_commit_leaves_no_trace(tmp_path: Path) -> None:
    path = str(tmp_path / "c.gpkg")
    with store.create(path, "c", "EPSG:4544") as db:
        put(db, "pipes", pipes(4))
        version = db.version("pipes")
    done = subprocess.run([sys.executable, "-c", _KILLED_IN_IMPORT, path], check=False)
    assert done.returncode == -signal.SIGKILL
    with store.open(path) as db:
        assert (db.count("pipes"), db.version("pipes"), db.revision) == (4, version, 1)
        assert len(db.history("pipes")) == 4
        db.edit("pipes", "p0", {"note": "triggers are there"}, by="li")
        assert db.version("pipes") != version


def test_a_failure_in_the_middle_of_an_import_leaves_nothing(
    county: store.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(county, "pipes", pipes(4))
    version = county.version("pipes")

    def break_off(*_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("mapapp.store.sources.record", break_off)
    with pytest.raises(RuntimeError, match="power cut"):
        put(county, "pipes", pipes(3000, further=1), "replace", source="x")
    assert (county.count("pipes"), county.version("pipes"), county.revision) == (4, version, 1)
    assert "further" not in county.columns("pipes")


def test_threads_read_one_state_while_another_writes(county: store.Database) -> None:
    """A reader sees the layer before or after an import, never half of it."""
    put(county, "pipes", pipes(50))
    seen: list[set[str]] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            seen.append(set(county.read("pipes", geometry=False)["kind"]))

    reader = threading.Thread(target=look)
    reader.start()
    for kind in ("storm", "sewage", "storm", "combined"):
        put(county, "pipes", pipes(50, kind=kind), "update")
    stop.set()
    reader.join()
    assert seen
    assert all(len(kinds) == 1 for kinds in seen)
