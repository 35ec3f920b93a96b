"""Queries of a backup in an S3 store: what goes over the wire is what they need, and a foreign object is refused."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
from support.seaweed import Seaweed
from support.toxic import Poison, Proxy

from duckback import Duckback
from duckback.errors import IntegrityError, StoreError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROWS = 250_000
_BIG = f"""
CREATE TABLE big AS SELECT i, i % 7 AS few, sha256('a' || i) || sha256('b' || i) AS noise FROM range({ROWS}) r(i);
CREATE TABLE other AS SELECT i AS id FROM range(9) r(i);
CREATE TABLE v AS SELECT i, {{'i': i}}::VARIANT AS x FROM range(9) r(i);
CREATE VIEW sums AS SELECT few, count(*) AS n FROM big GROUP BY few;
"""


class Wire:
    """An API that reaches its store by a proxy, which counts."""

    def __init__(self, duckback: Duckback, proxy: Proxy) -> None:
        self.duckback = duckback
        self.proxy = proxy

    def ask(self, sql: str) -> tuple[list[list[object]], dict[str, int]]:
        """The rows, and the bytes that came of each table's objects."""
        self.proxy.answered.clear()
        with self.duckback.query(sql) as answer:
            rows = list(answer.rows())
        objects = [(path, size) for method, path, size in self.proxy.answered if method == "GET" and "/duckdb/" in path]
        return rows, {
            name: sum(size for path, size in objects if f"-main.{name}." in path)
            for name in ("big", "other", "v")
            if any(f"-main.{name}." in path for path, _ in objects)
        }


@pytest.fixture(scope="module")
def wire(seaweed: Seaweed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    root = tmp_path_factory.mktemp("wire")
    path = root / "d.duckdb"
    with duckdb.connect(path, config={"storage_compatibility_version": "latest"}) as con:
        con.execute(_BIG)
    with Proxy(lambda: seaweed.port) as proxy:
        # The store's options go to the process that reads it: the proxy is all that it knows.
        options = seaweed.options(endpoint_url=proxy.endpoint)
        duckback = Duckback(
            f"s3://{seaweed.bucket()}/prod", s3=options, state_dir=root / "state", threads=2, memory_limit="500MB"
        )
        duckback.backup(path)
        with duckdb.connect(path) as con:
            con.execute("DELETE FROM big WHERE i IN (5, 249999); INSERT INTO big VALUES (-1, 0, 'new')")
        duckback.backup(path)
        yield Wire(duckback, proxy)


def size_of(wire: Wire, table: str) -> int:
    manifest = wire.duckback.find("latest").committed.manifest
    return sum(ref.size for one in manifest.tables if one.name == table for ref in one.refs)


def test_a_query_moves_only_the_columns_and_row_groups_that_it_needs(wire: Wire) -> None:
    whole = size_of(wire, "big")
    assert whole > 15_000_000

    rows, moved = wire.ask("SELECT sum(n), (SELECT min(i) FROM big), max(few) FROM sums")
    assert rows == [[str(ROWS - 1), "-1", "6"]]
    assert moved.keys() == {"big"}
    assert 0 < moved["big"] < whole / 10

    rows, moved = wire.ask("SELECT left(noise, 6) FROM big WHERE i = 130000")
    assert rows == [[hashlib.sha256(b"a130000").hexdigest()[:6]]]
    assert moved.keys() == {"big"}
    assert whole / 10 < moved["big"] < whole * 0.6

    rows, moved = wire.ask("SELECT sum(id) FROM other")
    assert rows == [["36"]]
    assert moved.keys() == {"other"}


def test_nothing_moves_where_the_catalogue_is_asked(wire: Wire) -> None:
    assert wire.ask("SHOW TABLES") == ([["big"], ["other"], ["sums"], ["v"]], {})


def test_a_native_file_is_fetched_whole(wire: Wire) -> None:
    rows, moved = wire.ask("SELECT x, i FROM v WHERE i = 3")
    assert rows == [["{'i': 3}", "3"]]
    assert moved["v"] <= size_of(wire, "v")


def test_an_object_that_was_replaced_is_refused_before_it_is_read(
    wire: Wire, seaweed: Seaweed, client: "S3Client"
) -> None:
    (table,) = [one for one in wire.duckback.find("latest").committed.manifest.tables if one.name == "other"]
    bucket = wire.duckback._store.url.split("/")[2]
    key = f"prod/{table.objects[0].key}"
    data = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        client.put_object(Bucket=bucket, Key=key, Body=data[:-1] + b"x", ChecksumAlgorithm="SHA256")
        with pytest.raises(IntegrityError, match="checksum"):
            wire.ask("FROM other")
        client.delete_object(Bucket=bucket, Key=key)
        with pytest.raises(IntegrityError, match="missing"):
            wire.ask("FROM other")
    finally:
        client.put_object(Bucket=bucket, Key=key, Body=data, ChecksumAlgorithm="SHA256")


def test_a_store_that_refuses_in_the_middle_is_an_error_of_the_store(wire: Wire) -> None:
    def part(method: str, path: str) -> bool:
        return method == "GET" and "-main.big." in path

    wire.proxy.poisons = [Poison(part, times=100, status=(403, "AccessDenied"))]
    try:
        with pytest.raises(StoreError, match="AccessDenied"):
            wire.ask("SELECT sum(i) FROM big")
        # A connection that breaks is taken up again where it broke.
        wire.proxy.poisons = [Poison(part, times=2, cut_after=1 << 14)]
        rows, _ = wire.ask("SELECT sum(length(noise)) FROM big WHERE i < 100000")
        assert rows == [[str(128 * 99_999 + 3)]]
    finally:
        wire.proxy.poisons = []


def test_a_script_for_s3_says_what_it_needs(wire: Wire, tmp_path: Path) -> None:
    script = wire.duckback.sql_script()
    assert "INSTALL httpfs;\nLOAD httpfs;\n" in script
    assert f"read_parquet(['{wire.duckback._store.url}/d/duckdb/full/" in script
    assert "CREATE SECRET" in script
