"""The manifest is read as if an enemy had written it, and nothing in it loses a bit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from support.snapshots import MOMENT, exported, manifest_of, memory_database

from duckback.errors import IntegrityError
from duckback.model.catalog import Catalog, Column, Table
from duckback.model.manifest import (
    Engine,
    Fingerprint,
    LedgerHead,
    Manifest,
    ObjectRef,
    Run,
    Segment,
    TableBackup,
    decode,
    encode,
)
from duckback.model.names import schema_path
from duckback.model.seal import seal

Document = dict[str, Any]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    folder = tmp_path_factory.mktemp("manifest")
    with memory_database(folder, "CREATE TABLE t AS FROM range(10)", "CREATE TABLE u (i INT)") as con:
        return manifest_of(*exported(con, folder))[0]


def test_what_is_written_is_read(manifest: Manifest) -> None:
    data = encode(manifest)
    assert decode(data, source="x") == manifest
    assert encode(decode(data, source="x")) == data
    assert b"\n" not in data


def at(*path: str | int) -> Callable[[Document], Any]:
    def found(document: Document) -> Any:
        value: Any = document
        for step in path:
            value = value[step]
        return value

    return found


FIRST_OBJECT = at("tables", 0, "objects", 0)
FORGERIES: dict[str, Callable[[Document], Any]] = {
    "a field too many": lambda d: d.update(more=1),
    "a field too many in a table": lambda d: at("tables", 0)(d).update(more=1),
    "a field too few": lambda d: d.pop("engine"),
    "another format": lambda d: d.update(format="2"),
    "a format that is a number": lambda d: d.update(format=1),
    "a number as text": lambda d: FIRST_OBJECT(d).update(size="1"),
    "a number with a fraction": lambda d: FIRST_OBJECT(d).update(size=1.5),
    "true for a number": lambda d: FIRST_OBJECT(d).update(size=True),
    "a number for a text": lambda d: d.update(database=1),
    "a negative size": lambda d: FIRST_OBJECT(d).update(size=-1),
    "no name": lambda d: d.update(database=""),
    "no UUID": lambda d: d.update(backup_id="x"),
    "no time": lambda d: d.update(snapshot_at="yesterday"),
    "another scope": lambda d: d.update(scope="partial"),
    "a checksum too short": lambda d: FIRST_OBJECT(d).update(sha256="0" * 63),
    "a checksum in capitals": lambda d: FIRST_OBJECT(d).update(sha256="A" * 64),
    "a checksum with a line behind it": lambda d: FIRST_OBJECT(d).update(sha256="0" * 64 + "\n"),
    "rows that the fingerprint has not": lambda d: at("tables", 0)(d).update(rows=9),
    "rows that the objects have not": lambda d: FIRST_OBJECT(d).update(rows=9),
    "a table without rows": lambda d: d["tables"].pop(),
    "a table twice": lambda d: d["tables"].append(d["tables"][0]),
    "rows of another table": lambda d: at("tables", 0)(d).update(name="other"),
    "a sum that is none": lambda d: at("tables", 0, "fingerprint")(d).update(sum1="1e3"),
    "a sum without end": lambda d: at("tables", 0, "fingerprint")(d).update(sum1="9" * 5000),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_manifest_is_refused_and_its_source_named(manifest: Manifest, forgery: str) -> None:
    document = json.loads(encode(manifest))
    del document["sha256"]
    FORGERIES[forgery](document)
    with pytest.raises(IntegrityError, match="the source is not a manifest of format"):
        decode(seal(json.dumps(document).encode()), source="the source")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format": "1"}'])
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError, match="not a manifest"):
        decode(data, source="x")


KEY = "a/duckdb/full/2026/03/07/x.parquet"


def object_with(key: str) -> ObjectRef:
    return ObjectRef(
        key=key, size=1, sha256="0" * 64, part_size=1, composite=None, encryption=None, rows=0, backup_id=uuid4()
    )


@pytest.mark.parametrize("key", [KEY, "a%2Fb/manifests/x.json", "a~0/b.c.d", "a/..b/c"])
def test_a_key_below_the_root_is_taken(key: str) -> None:
    assert object_with(key).key == key


@pytest.mark.parametrize(
    "key",
    [
        "",
        "a",
        "/a/b",
        "a/",
        "a//b",
        "../a/b",
        "a/../b",
        "a/./b",
        "a/..",
        "a/.../b",
        "a/b\n",
        "a b/c",
        "a\\b/c",
        "ä/b",
        "a/b?c",
    ],
)
def test_a_key_that_leaves_the_repository_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="leaves the repository"):
        object_with(key)


@pytest.mark.parametrize("wide", [0, -1, 2**53 + 1, 2**63, 2**64 - 1, 2**100 + 7, -(2**90)])
def test_a_wide_sum_is_exact_in_json_and_text_there(wide: int) -> None:
    text = Fingerprint(rows=1, sum1=wide, sum2=wide + 1).model_dump_json()
    assert json.loads(text)["sum1"] == str(wide)
    assert Fingerprint.model_validate_json(text) == Fingerprint(rows=1, sum1=wide, sum2=wide + 1)


def test_fingerprints_add_up() -> None:
    one, other = Fingerprint(rows=1, sum1=2, sum2=3), Fingerprint(rows=10, sum1=2**64, sum2=30)
    assert one + other == Fingerprint(rows=11, sum1=2**64 + 2, sum2=33)


def test_a_manifest_cannot_be_changed(manifest: Manifest) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        manifest.database = "other"  # type: ignore[misc]


def test_bytes_added_are_those_of_the_backups_own_objects(manifest: Manifest) -> None:
    first, *others = manifest.tables
    foreign = first.objects[0].model_copy(update={"backup_id": uuid4()})
    mixed = manifest.model_copy(update={"tables": (first.model_copy(update={"objects": (foreign,)}), *others)})
    assert mixed.size_bytes == manifest.size_bytes == manifest.bytes_added
    assert mixed.bytes_added == manifest.size_bytes - foreign.size
    assert (manifest.rows, len(manifest.objects)) == (10, 2)


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
WIDE = st.integers(0, 2**110)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    tables, catalog = [], []
    for name in draw(st.lists(NAMES, max_size=3, unique=True)):
        schema, column, rows = schema_path((draw(NAMES),)), draw(NAMES), draw(st.integers(0, 2**62))
        fingerprint = Fingerprint(rows=rows, sum1=draw(WIDE), sum2=draw(WIDE))
        ref = object_with(KEY).model_copy(update={"rows": rows, "composite": draw(st.none() | NAMES)})
        segments = (Segment(fingerprint=fingerprint, runs=(Run(object=0, first_row=0, rows=rows),)),)
        catalog.append(
            Table(schema_name=schema, name=name, columns=(Column(name=column, type="INTEGER"),), sql=draw(NAMES))
        )
        tables.append(
            TableBackup(
                schema_name=schema,
                name=name,
                method="full",
                storage={column: draw(NAMES)},
                objects=(ref,),
                rows=rows,
                raw_bytes=draw(st.integers(0, 2**62)),
                fingerprint=fingerprint,
                segments=segments,
            )
        )
    return Manifest(
        format="1", duckback_version=draw(NAMES), repository_id=uuid4(), backup_id=uuid4(), database=draw(NAMES),
        backup_type="duckdb", scope="full", parent_id=None, parent_manifest_sha256=None, started_at=MOMENT,
        snapshot_at=MOMENT, retention_until=MOMENT, compression="parquet-zstd", encryption="none",
        capture_mode="direct", file=None,
        engine=Engine(duckdb_version=draw(NAMES), storage_version="", hash_probe=draw(st.integers(0, 2**64 - 1))),
        ledger=LedgerHead(driver="embedded", id=draw(NAMES), head="0" * 64), catalog=Catalog(tables=tuple(catalog)),
        tables=tuple(tables), excluded=tuple(draw(st.lists(NAMES, max_size=2))),
        seconds={draw(NAMES): draw(st.floats(0, 1e9))},
    )  # fmt: skip


@given(manifests())
@settings(max_examples=60, deadline=None)
def test_any_manifest_is_read_as_it_was_written(given_manifest: Manifest) -> None:
    assert decode(encode(given_manifest), source=str(Path())) == given_manifest
