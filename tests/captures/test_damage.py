"""A damaged database is an error with exit code 30, and leaves nothing behind."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from support.files_images import files_of
from support.files_writers import Application
from support.place import Place
from unit.source.test_capture import encrypted

BLOCK = 262144
HEADERS = 12288

Damage = Callable[[Path], None]


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 0x10
    path.write_bytes(data)


def flip_in_a_block(path: Path) -> None:
    # In the middle of a run of random values: the first block that holds some.
    data = path.read_bytes()
    starts = range(HEADERS, len(data), BLOCK)
    flip(path, max(starts, key=lambda start: len(set(data[start : start + BLOCK : 8]))) + BLOCK // 2)


def flip_in_the_log(path: Path) -> None:
    wal = Path(f"{path}.wal")
    flip(wal, wal.stat().st_size // 2)


def flip_in_a_header(path: Path) -> None:
    flip(path, 4096 + 30)


def cut_in_half(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(HEADERS + (path.stat().st_size - HEADERS) // BLOCK // 2 * BLOCK)


def cut_in_the_headers(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(HEADERS // 2)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    path = tmp_path_factory.mktemp("healthy") / "a.duckdb"
    with Application(path) as app:
        app.run("CREATE TABLE t AS SELECT hash(range) h FROM range(200000)", "CHECKPOINT", "INSERT INTO t VALUES (1)")
        app.run("INSERT INTO t SELECT hash(range) FROM range(1000)", "INSERT INTO t VALUES (3)")
    return files_of(path)


@pytest.mark.parametrize(
    "damage", [flip_in_a_block, flip_in_the_log, flip_in_a_header, cut_in_half, cut_in_the_headers]
)
def test_a_damaged_database_is_not_backed_up(place: Place, healthy: dict[str, bytes], damage: Damage) -> None:
    path = place.root / "a.duckdb"
    for name, data in healthy.items():
        (place.root / name).write_bytes(data)
    damage(path)
    before = files_of(path)
    place.run("backup", path, "--capture-timeout", "5s").failed(30, "a.duckdb")
    assert files_of(path) == before
    assert list((place.state / "images").iterdir()) == place.staged() == []
    assert place.manifests() == place.objects() == []
    with pytest.raises(duckdb.Error):
        duckdb.connect(path, read_only=True).execute("SELECT sum(h) FROM t")


def test_an_encrypted_database_is_refused_by_name(place: Place) -> None:
    path = encrypted(place.root / "a.duckdb")
    place.run("backup", path).failed(30, "a.duckdb is encrypted and cannot be opened without its key")
    assert list((place.state / "images").iterdir()) == place.staged() == []
