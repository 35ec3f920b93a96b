"""Headers are believed only if their checksums are right and two readings agree."""

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.databases import database
from support.engines import ENGINES
from support.files_writers import Application

from duckback.errors import SourceError, Unsupported
from duckback.source.image.disturbed import Disturbed
from duckback.source.image.header import HEADERS_BYTES, parse_header, read_header


@pytest.fixture(scope="module")
def headers(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = database(tmp_path_factory.mktemp("header") / "a.duckdb", "CREATE TABLE t (i INT)")
    return path.read_bytes()[:HEADERS_BYTES]


@pytest.mark.parametrize("storage", ["", "STORAGE_VERSION 'latest'", "BLOCK_SIZE 16384"])
@pytest.mark.parametrize("engine", ENGINES)
def test_the_iteration_counts_the_checkpoints_of_every_release(tmp_path: Path, engine: str, storage: str) -> None:
    path = tmp_path / "a.duckdb"
    seen = []
    with Application(path, engine, storage) as app:
        for number in range(3):
            app.run(f"CREATE TABLE t{number} (i INT)", "CHECKPOINT")
            seen.append(parse_header(path.read_bytes()[:HEADERS_BYTES], "a"))
    assert [header.iteration - seen[0].iteration for header in seen] == [0, 1, 2]
    assert {header.identifier for header in seen} == {seen[0].identifier}


def test_a_flipped_bit_anywhere_is_seen(headers: bytes) -> None:
    for position in [*range(0, HEADERS_BYTES, 61), *range(200), *range(4096, 4200), *range(8192, 8300)]:
        damaged = bytearray(headers)
        damaged[position] ^= 1
        with pytest.raises((Disturbed, SourceError)):
            parse_header(bytes(damaged), "a")


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, HEADERS_BYTES))
def test_any_bytes_are_an_error_of_ours(data: bytes, zeros: int) -> None:
    with pytest.raises((Disturbed, SourceError)):
        parse_header(data + bytes(zeros), "a")
    with pytest.raises((Disturbed, SourceError)):
        parse_header((bytes(8) + b"DUCK" + data + bytes(HEADERS_BYTES))[:HEADERS_BYTES], "a")


def test_what_is_no_database_or_is_cut_is_refused(headers: bytes) -> None:
    for data in (b"", headers[:-1], bytes(HEADERS_BYTES), headers[:8] + b"SQLi" + headers[12:]):
        with pytest.raises(SourceError, match="thing is not a DuckDB database"):
            parse_header(data, "thing")


def test_an_encrypted_database_is_refused_by_name(headers: bytes) -> None:
    data = bytearray(headers)
    (flags,) = struct.unpack_from("<Q", data, 20)
    struct.pack_into("<Q", data, 20, flags | 1)
    with pytest.raises(Unsupported, match="thing is encrypted and cannot be opened without its key"):
        parse_header(bytes(data), "thing")


def test_a_header_that_changes_all_the_time_is_not_believed(
    tmp_path: Path, headers: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path := tmp_path / "a").write_bytes(headers)
    looks = 0

    def changing(fd: int, count: int, position: int) -> bytes:
        nonlocal looks
        looks += 1
        return headers[:-1] + bytes([looks % 2])

    with path.open("rb") as file:
        assert read_header(file.fileno(), "a").raw == headers
        monkeypatch.setattr(os, "pread", changing)
        with pytest.raises(Disturbed, match="changed at every look"):
            read_header(file.fileno(), "a")
