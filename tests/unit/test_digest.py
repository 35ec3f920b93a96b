"""The digest of a file equals an independent computation, whatever the sizes."""

import base64
import hashlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duckback.store.digest import MAX_PARTS, READ_SIZE, digest_file, fitting_part_size


def _composite(data: bytes, part_size: int) -> str | None:
    if len(data) <= part_size:
        return None
    parts = [data[start : start + part_size] for start in range(0, len(data), part_size)]
    joined = b"".join(hashlib.sha256(part).digest() for part in parts)
    return base64.b64encode(hashlib.sha256(joined).digest()).decode() + f"-{len(parts)}"


def _check(data: bytes, part_size: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "file")
        path.write_bytes(data)
        found = digest_file(path, part_size)
    assert found.size == len(data)
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert found.part_size == part_size
    assert found.composite == _composite(data, part_size)


@given(st.binary(max_size=300), st.integers(1, 310))
def test_whole_and_composite(data: bytes, part_size: int) -> None:
    _check(data, part_size)


@pytest.mark.parametrize("size", [READ_SIZE - 1, READ_SIZE, READ_SIZE + 1, 3 * READ_SIZE, 3 * READ_SIZE + 5])
@pytest.mark.parametrize("part_size", [READ_SIZE // 2 + 3, READ_SIZE, 2 * READ_SIZE - 1, 3 * READ_SIZE])
def test_parts_that_do_not_fall_together_with_reads(size: int, part_size: int) -> None:
    _check((b"0123456789abcdefg" * (size // 17 + 1))[:size], part_size)


@given(st.integers(0, 1 << 50), st.integers(1, 1 << 32))
def test_parts_fit_and_are_no_larger_than_they_must_be(size: int, part_size: int) -> None:
    found = fitting_part_size(size, part_size)
    assert found * MAX_PARTS >= size
    assert found == part_size or found // 2 * MAX_PARTS < size
    assert found % part_size == 0
    assert (found // part_size).bit_count() == 1
