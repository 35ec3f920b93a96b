"""Faults between Duckback and a real S3 server: in no case does success lie."""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from support.place import Place, Ran
from support.seaweed import REGION, Seaweed
from support.toxic import Poison, Proxy

ROWS = 20_000
IS_SOAK = bool(os.environ.get("DUCKBACK_SOAK_FAULTS"))


@dataclass
class Bench:
    """A place, a server and a proxy before it."""

    place: Place
    server: Seaweed
    proxy: Proxy
    bucket: str

    def run(self, verb: str, *arguments: object) -> Ran:
        line = ["--s3-endpoint-url", self.proxy.endpoint, "--s3-addressing-style", "path", "--s3-region", REGION]
        return self.place.run(verb, *arguments, *line, "--s3-profile", "admin", repo=f"s3://{self.bucket}/x")

    def is_right(self) -> None:
        """What the store holds, asked without faults, is good, and the newest backup comes back."""
        self.proxy.poisons.clear()
        self.run("verify", "--level", "data").worked()
        self.run("restore", self.place.root / "again.duckdb").worked()
        (self.place.root / "again.duckdb").unlink()


def puts_rows(method: str, path: str) -> bool:
    return method == "PUT" and ".parquet" in path


def gets_rows(method: str, path: str) -> bool:
    return method == "GET" and ".parquet" in path


def anything(method: str, path: str) -> bool:
    return True


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, seaweed: Seaweed) -> Iterator[Seaweed]:
    """A server of one's own, for it is stopped."""
    server = Seaweed(tmp_path_factory.mktemp("faults"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def bench(server: Seaweed, tmp_path: Path) -> Iterator[Bench]:
    place = Place(tmp_path)
    with duckdb.connect(place.database) as con:
        con.execute(f"CREATE TABLE more AS SELECT hash(i) AS h, md5(i::VARCHAR) AS m FROM range({ROWS}) r(i)")
    with Proxy(lambda: server.port) as proxy:
        yield Bench(place, server, proxy, server.bucket())


def test_a_backup_outlasts_what_passes(bench: Bench) -> None:
    poisons = [
        Poison(anything, times=4, status=(503, "SlowDown")),
        Poison(puts_rows, times=2, status=(500, "InternalError")),
        Poison(puts_rows, times=2, cut_after=0),
        Poison(puts_rows, pause=0.5),
    ]
    bench.proxy.poisons += poisons
    bench.run("backup", bench.place.database, "--full").worked()
    assert [poison.hits for poison in poisons] == [4, 2, 2, 1]
    bench.is_right()


def test_reads_that_are_cut_or_slow_are_taken_up_again(bench: Bench) -> None:
    bench.run("backup", bench.place.database).worked()
    bench.place.state = bench.place.root / "another"
    poisons = [Poison(gets_rows, times=3, cut_after=1 << 15), Poison(gets_rows, pause=0.02)]
    bench.proxy.poisons += poisons
    bench.run("restore", bench.place.target).worked()
    assert [poison.hits for poison in poisons] == [3, 1]
    assert bench.place.restored_is_equal()


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        ((400, "ExpiredToken"), "renew them"),
        ((507, "InsufficientStorage"), "InsufficientStorage"),
        *([((403, "RequestTimeTooSkewed"), "Set the clock"), ((403, "AccessDenied"), "Check the")] if IS_SOAK else []),
    ],
)
def test_what_does_not_pass_fails_at_once_and_says_why(bench: Bench, status: tuple[int, str], hint: str) -> None:
    bench.run("backup", bench.place.database).worked()
    before = bench.run("list", "--json").json["backups"]
    bench.proxy.poisons.append(Poison(puts_rows, times=99, status=status))
    bench.run("backup", bench.place.database, "--full").failed(40, hint)
    bench.proxy.poisons[:] = [Poison(gets_rows, times=99, status=status)]
    bench.place.state = bench.place.root / "another"
    bench.run("restore", bench.place.target).failed(40, hint)
    bench.run("verify", "--level", "data").failed(40, hint)
    assert bench.place.beside_target() == []
    bench.is_right()
    assert [one["id"] for one in bench.run("list", "--json").json["backups"]] == [one["id"] for one in before]


@pytest.mark.parametrize("verb", ["backup", "restore", *(["verify"] if IS_SOAK else [])])
def test_the_server_stops_in_mid_transfer_and_comes_back(bench: Bench, verb: str) -> None:
    bench.run("backup", bench.place.database).worked()
    bench.place.state = bench.place.root / "another"
    back = threading.Timer(2.0, bench.server.start)

    def stop() -> None:
        bench.server.stop()
        back.start()

    meant = puts_rows if verb == "backup" else gets_rows
    bench.proxy.poisons.append(Poison(meant, call=stop))
    arguments: dict[str, list[object]] = {
        "backup": [bench.place.database, "--full"],
        "restore": [bench.place.target],
        "verify": ["--level", "data"],
    }
    ran = bench.run(verb, *arguments[verb])
    back.join()
    ran.worked()
    assert bench.proxy.poisons[0].call is None
    bench.is_right()
