"""A copy is equal to its source byte by byte, whatever was there before; holes are copied as such."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.snapshots import rows

from duckback.source.image import copying
from duckback.source.image.copying import copy, data_bytes, data_extents, refresh
from duckback.source.image.take import take_image
from duckback.source.image.target import Target

PAGE = 4096
Sparse = tuple[int, list[tuple[int, int, int]]]

sparse_files = st.tuples(
    st.integers(0, 24 * PAGE),
    st.lists(st.tuples(st.integers(0, 24 * PAGE), st.integers(1, 3 * PAGE), st.sampled_from([0, 1, 255])), max_size=4),
)


@pytest.fixture(scope="module", autouse=True)
def _small_chunks() -> Iterator[None]:
    # So that small files have as many edges as large ones.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copying, "_CHUNK", 4 * PAGE)
        patch.setattr(copying, "_BLOCK", PAGE)
        yield


def made(stack: ExitStack, content: Sparse) -> int:
    fd = os.memfd_create("")
    stack.callback(os.close, fd)
    size, pieces = content
    for start, count, value in pieces:
        os.pwrite(fd, bytes([value]) * count, start)
    os.ftruncate(fd, size)
    return fd


def read(fd: int) -> bytes:
    return os.pread(fd, 1 << 20, 0)


@settings(deadline=None)
@given(sparse_files)
def test_a_copy_is_equal_and_as_sparse(content: Sparse) -> None:
    with ExitStack() as stack:
        source, target = made(stack, content), made(stack, (0, []))
        size = content[0]
        written = copy(source, target, size)
        os.ftruncate(target, size)
        assert read(target) == read(source)
        assert written == data_bytes(source, size)
        assert list(data_extents(target, size)) == list(data_extents(source, size))


@settings(deadline=None)
@given(sparse_files, sparse_files)
@example((3 * PAGE, [(0, PAGE, 1)]), (3 * PAGE, [(PAGE, PAGE, 1)]))
def test_a_refreshed_copy_is_equal_whatever_it_was(content: Sparse, older: Sparse) -> None:
    with ExitStack() as stack:
        source, target = made(stack, content), made(stack, older)
        size = content[0]
        refresh(source, target, size)
        os.ftruncate(target, size)
        assert read(target) == read(source)
        assert refresh(source, target, size) == 0


def test_only_blocks_that_differ_are_written() -> None:
    with ExitStack() as stack:
        source, target = made(stack, (10 * PAGE, [(0, 10 * PAGE, 1)])), made(stack, (10 * PAGE, [(0, 10 * PAGE, 1)]))
        os.pwrite(source, b"changed", 7 * PAGE + 5)
        assert refresh(source, target, 10 * PAGE) == PAGE


def test_the_same_words_in_another_order_are_another_block() -> None:
    # DuckDB's checksum of both is the same.
    words = [bytes([number]) * 8 for number in range(64)]
    with ExitStack() as stack:
        source, target = made(stack, (0, [])), made(stack, (0, []))
        os.pwrite(source, b"".join(reversed(words)), 0)
        os.pwrite(target, b"".join(words), 0)
        assert refresh(source, target, 512) > 0
        assert read(target) == read(source)


def test_a_file_that_gets_shorter_between_two_looks_for_holes_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path := tmp_path / "a").write_bytes(b"x" * 100_000)
    real = os.lseek

    def meddle(fd: int, position: int, how: int) -> int:
        if how == os.SEEK_HOLE:
            os.truncate(path, 0)
        return real(fd, position, how)

    monkeypatch.setattr(os, "lseek", meddle)
    with path.open("rb") as file:
        assert list(data_extents(file.fileno(), 100_000)) == []


def test_a_file_that_gets_shorter_while_it_is_copied_is_copied_as_far_as_it_goes() -> None:
    with ExitStack() as stack:
        source, target = made(stack, (8 * PAGE, [(0, 8 * PAGE, 1)])), made(stack, (0, []))
        extents = list(data_extents(source, 8 * PAGE))
        os.ftruncate(source, PAGE)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(copying, "data_extents", lambda *_: iter(extents))
            assert copy(source, target, 8 * PAGE) == PAGE


def test_where_the_kernel_cannot_copy_we_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    with ExitStack() as stack:
        source, target = made(stack, (9 * PAGE, [(0, 9 * PAGE, 7)])), made(stack, (0, []))
        assert copy(source, target, 9 * PAGE) == 9 * PAGE
        assert read(target) == read(source)


SEVENS = "CASE i WHEN 0 THEN 1.0 ELSE 7.5 END"
ZEROS_INSIDE = "CASE WHEN i = 0 THEN 1.0 WHEN i BETWEEN 10000 AND 30000 THEN 0.0 ELSE 7.5 END"
ZEROS_AT_THE_END = "CASE WHEN i <= 7999 AND i % 2 = 0 THEN 1.0 WHEN i > 15999 THEN 0.0 ELSE 7.5 END"


@pytest.mark.parametrize(("count", "newer"), [(32000, ZEROS_INSIDE), (31999, ZEROS_AT_THE_END)])
def test_a_kept_image_gets_the_holes_of_the_source_too(tmp_path: Path, count: int, newer: str) -> None:
    # A hole in a used block is what cp --sparse, rsync -S, tar -S and fallocate -d make of zeros; a block whose stale
    # words come in pairs keeps its checksum.
    live, new = tmp_path / "a.duckdb", tmp_path / "new.duckdb"

    def build(path: Path, value: str) -> None:
        with duckdb.connect(path) as con:
            con.execute("SET force_compression = 'uncompressed'")
            con.execute(f"CREATE TABLE t AS SELECT ({value})::DOUBLE AS x FROM range({count}) r(i)")

    build(live, SEVENS)
    (directory := tmp_path / "kept").mkdir()
    take_image(live, directory, seconds=1)
    build(new, newer)
    subprocess.run(["cp", "--sparse=always", new, live], check=True)
    image = take_image(live, directory, seconds=1)
    query = "SELECT x, count(*) FROM t GROUP BY x ORDER BY x"
    assert rows(image.path, query) == rows(live, query)


def test_an_image_ends_like_its_source_in_a_hole_too(tmp_path: Path) -> None:
    target = Target(tmp_path / "image", can_clone=False)
    target.path.write_bytes(b"x" * 10 * PAGE)
    (source := tmp_path / "a").write_bytes(b"y" * PAGE)
    os.truncate(source, 10 * PAGE)
    with source.open("rb") as file:
        target.fill(file.fileno())
        assert target.is_equal(file.fileno())
    assert target.path.read_bytes() == source.read_bytes()
