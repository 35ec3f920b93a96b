"""Whatever somebody writes as a manifest, with a seal that fits: it is refused, or nothing in it leads outside."""

import json
import os
from copy import deepcopy
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.bench import Bench
from support.in_process import without_children

from duckback.errors import IntegrityError
from duckback.model.manifest import MAX_MANIFEST_BYTES, Manifest, decode, encode
from duckback.model.seal import seal, unseal
from duckback.repository import layout
from duckback.repository.objects import ObjectFiles
from duckback.repository.repository import Repository
from duckback.store.keys import check_key
from duckback.store.memory import MemoryStore

EXAMPLES = int(os.environ.get("DUCKBACK_SOAK_MANIFESTS", "300"))
COPIES = Path("/copies/of/it")

Document = dict[str, Any]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    with pytest.MonkeyPatch.context() as patch:
        without_children(patch)
        return Bench(tmp_path_factory.mktemp("bench"))


def deep(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


SCALARS: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63), 2**127, 10**39, 10**400, 0.5, 1e308, -0.0,
    "", ".", "..", "../x", "/etc/passwd", "a/../../b", "small/duckdb/../x", "small/duckdb//x", "small/duckdb/x\0",
    "small/duckdb/x'; DROP TABLE t; --", "small\\duckdb\\x", "smaller/duckdb/x", "small/manifests/x.json",
    "small/duckdb/\u202e", "file:///etc/passwd", "s3://other/x", "x" * 70_000, "9" * 41, "9" * 40, "-9", "1e9",
    "2026-11-25T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "\ud800", "\x00",
    str(UUID(int=0)), str(uuid4()), "0" * 64, "F" * 64, [], {}, [[]], [{}], {"a": 1}, deep(300),
]  # fmt: skip


def steps(value: Any) -> list[Any]:
    return list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []


@st.composite
def forged(draw: st.DrawFn, genuine: list[bytes]) -> bytes:
    document = json.loads(unseal(draw(st.sampled_from(genuine))) or b"")
    for _ in range(draw(st.integers(1, 4))):
        _change(draw, document)
    return seal(json.dumps(document).encode())


def _change(draw: st.DrawFn, document: Document) -> None:
    at: Any = document
    for _ in range(draw(st.integers(0, 8))):
        inner = [step for step in steps(at) if steps(at[step])]
        if not inner:
            break
        at = at[draw(st.sampled_from(inner))]
    if not steps(at):
        return
    step = draw(st.sampled_from(steps(at)))
    match draw(st.sampled_from(["replace", "replace", "replace", "remove", "add", "repeat", "nudge"])):
        case "replace":
            at[step] = deepcopy(draw(st.sampled_from(SCALARS) | st.text() | st.integers() | st.floats(allow_nan=False)))
        case "remove":
            del at[step]
        case "add" if isinstance(at, dict):
            at[draw(st.text())] = deepcopy(draw(st.sampled_from(SCALARS)))
        case "repeat" if isinstance(at, list):
            at.append(deepcopy(at[step]))
        case _:
            at[step] = at[step] + 1 if isinstance(at[step], int) else at[step]


def assert_stays_inside(manifest: Manifest, prefix: str) -> None:
    files = ObjectFiles(MemoryStore(), COPIES)
    for ref in manifest.objects:
        check_key(ref.key)
        assert ref.key.startswith(prefix)
        assert ".." not in PurePosixPath(ref.key).parts
        assert files.copy_of(ref).parent.parent == COPIES
        assert "'" not in ref.position_name
    assert layout.encode_name(manifest.database).strip(".")
    assert "/" not in layout.encode_name(manifest.database)
    assert decode(encode(manifest), source="x") == manifest


def test_a_forged_manifest_is_refused_or_stays_inside(bench: Bench) -> None:
    genuine = [bench.data(key) for key in bench.keys("/manifests/")]
    accepted = longest = 0

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    @given(data=forged(genuine))
    def check(data: bytes) -> None:
        nonlocal accepted, longest
        store = bench.copy()
        repository = Repository.open(store)
        original = decode(genuine[0], source="x")
        key = layout.manifest_key("small", original.backup_id)
        del store._objects[key]
        store.create(key, data)
        try:
            committed = repository.read("small", original.backup_id)
        except IntegrityError as error:
            longest = max(longest, len(error.message))
            return
        accepted += 1
        assert_stays_inside(committed.manifest, layout.data_prefix("small"))

    check()
    print(f"{EXAMPLES} forged manifests: {accepted} were taken, and stay inside")
    assert accepted > 0
    assert longest < 2_000


@given(st.binary(max_size=300))
@settings(max_examples=min(EXAMPLES, 1000), deadline=None)
def test_bytes_that_are_no_document_are_refused(data: bytes) -> None:
    for form in (data, seal(data + b"}")):
        with pytest.raises(IntegrityError, match="is not a manifest"):
            decode(form, source="x")


@pytest.mark.parametrize("levels", [100, 10_000, 1_000_000])
def test_a_document_nested_without_end_is_refused(levels: int) -> None:
    data = seal(b'{"format":' + b"[" * levels + b"]" * levels + b"}")
    with pytest.raises(IntegrityError, match="is not a manifest"):
        decode(data, source="x")


def test_a_manifest_larger_than_there_may_be_is_not_read(bench: Bench) -> None:
    store = bench.copy()
    key = bench.keys("/manifests/")[0]
    del store._objects[key]
    store.create(key, b" " * (MAX_MANIFEST_BYTES + 1))
    backup_id = layout.backup_of_manifest(key)
    assert backup_id is not None
    with pytest.raises(IntegrityError, match="more than the"):
        Repository.open(store).read("small", backup_id)
