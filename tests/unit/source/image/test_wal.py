"""Whatever bytes are in a write-ahead log, the commits in it are told, or an error of ours is."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.engines import ENGINES
from support.files_writers import Application

from duckback.errors import Unsupported
from duckback.source.image.disturbed import Disturbed
from duckback.source.image.wal import FLUSH, TAIL_BYTES, Wal, ends_in_checkpoint, parse_wal

OPENING = b"\x64\x00\x62\x65\x00"
RECORD = (3).to_bytes(8, "little") + bytes(8) + b"\x64\x00\x1a"
CHECKPOINT = (7).to_bytes(8, "little") + bytes(8) + b"\x64\x00\x63\x65\x00\xff\xff"
OPENED = OPENING + b"\x02\xff\xff"


@pytest.fixture(scope="module", params=[(engine, storage) for engine in ENGINES for storage in ("", "latest")])
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The log of some commits, one of which is of several records."""
    engine, storage = request.param
    path = tmp_path_factory.mktemp("log") / "a.duckdb"
    with Application(path, engine, f"STORAGE_VERSION '{storage}'" if storage else "") as app:
        app.run("CREATE TABLE t (i INT)", "BEGIN", "INSERT INTO t VALUES (1)", "CREATE TABLE u (s VARCHAR)", "COMMIT")
        app.run("DELETE FROM t", "INSERT INTO t VALUES (2), (3)")
        return Path(f"{path}.wal").read_bytes()


def test_a_log_that_is_cut_anywhere_ends_with_the_last_commit_before_the_cut(log: bytes) -> None:
    ends = [0]
    while (found := log.find(FLUSH, ends[-1])) >= 0:
        ends.append(found + len(FLUSH))
    assert len(ends) == 5
    assert ends[-1] == len(log)
    for start, stop in pairwise([*ends, len(log) + 1]):
        assert {parse_wal(log[:cut]).committed for cut in range(start, stop)} == {start}


def test_damage_before_a_commit_is_never_an_earlier_end(log: bytes) -> None:
    whole = parse_wal(log)
    for position in range(len(log)):
        damaged = bytearray(log)
        damaged[position] ^= 0xFF
        try:
            wal = parse_wal(bytes(damaged))
        except (Disturbed, Unsupported):
            continue
        # Bytes within a record are DuckDB's to verify; only damage in the last commit's own frame looks like a cut.
        is_in_the_last = position >= log.rindex(FLUSH, 0, -1)
        assert wal.committed == whole.committed or is_in_the_last


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", OPENING, OPENED, OPENED + RECORD, OPENED + RECORD + FLUSH]))
@example((1 << 64).to_bytes(9, "little") + bytes(9), OPENED)
def test_any_bytes_are_a_log_or_an_error_of_ours(data: bytes, before: bytes) -> None:
    try:
        wal = parse_wal(before + data)
    except (Disturbed, Unsupported):
        return
    assert 0 <= wal.committed <= len(before + data)


@pytest.mark.parametrize(
    "data",
    [
        b"\x02" + (0xFFFF).to_bytes(2) + (2).to_bytes(8, "little") + bytes(8) + b"\x64\x00",
        b"\x02\x66\x00\x01\xff\x7f\xff\xff",
        b"\xff" * (1 << 20),
    ],
    ids=["a record of two bytes", "an identifier beyond bytes", "a number without end"],
)
def test_what_makes_no_sense_has_no_commits(data: bytes) -> None:
    assert parse_wal(OPENING + data).committed == 0


@pytest.mark.parametrize("data", [b"", OPENING[:3], OPENING, OPENING + b"\x02", OPENING + b"\x02\xff"])
def test_a_log_whose_first_record_is_half_written_is_empty(data: bytes) -> None:
    assert parse_wal(data) == Wal()
    with pytest.raises(Disturbed, match="makes no sense at byte 0"):
        parse_wal(OPENING + b"\x02\x00" + FLUSH)


def test_other_formats_are_refused_with_a_way_out() -> None:
    for data, message in ((b"\x01\x02\x03\x04\x05\x06", "no version record"), (OPENING + b"\x03\xff\xff", "version 3")):
        with pytest.raises(Unsupported, match=message) as failure:
            parse_wal(data)
        assert "--capture direct" in failure.value.hint


def test_commits_behind_what_is_no_record_are_damage() -> None:
    with pytest.raises(Disturbed, match=f"makes no sense at byte {len(OPENED)}"):
        parse_wal(OPENED + bytes(5) + FLUSH)


def test_a_checkpoint_at_the_end_is_told_from_one_that_commits_follow() -> None:
    begun = OPENED + RECORD + FLUSH + CHECKPOINT + FLUSH
    assert parse_wal(begun).has_checkpoint
    assert parse_wal(begun).abandoned == ()
    assert ends_in_checkpoint(begun)
    assert ends_in_checkpoint(begun[-TAIL_BYTES:])
    assert not ends_in_checkpoint(begun[: -len(FLUSH)])
    over = parse_wal(begun + RECORD + FLUSH)
    assert not over.has_checkpoint
    [(start, stop)] = over.abandoned
    assert (begun + RECORD)[start:stop] == CHECKPOINT


def test_records_that_look_like_a_checkpoint_are_none() -> None:
    # A chunk of 99 rows is written with the bytes that a checkpoint's record begins with.
    chunk = b"\x64\x00\x1d\x65\x00\x64\x00\x63\x65\x00" + bytes(40) + b"\xff\xff"
    insert = len(chunk).to_bytes(8, "little") + bytes(8) + chunk
    assert not ends_in_checkpoint((OPENED + insert + FLUSH)[-TAIL_BYTES:])
    assert not ends_in_checkpoint(b"")
