"""Repositories by somebody who may write to the bucket: every checksum and seal fits what was forged."""

from collections.abc import Callable
from pathlib import Path

import duckdb
from support.place import Place

from duckback.model.manifest import Manifest, ObjectRef, TableBackup, decode, encode
from duckback.store.digest import digest_file


def forge(place: Place, change: Callable[[Manifest], Manifest]) -> None:
    """Put a changed manifest in the place of the only one."""
    (path,) = place.manifests()
    genuine = decode(path.read_bytes(), source="the genuine one")
    path.unlink()
    path.write_bytes(encode(change(genuine)))


def forge_object(place: Place, name: str, query: str, *, rows: int | None = None) -> Path:
    """Put the result of a query into the object of a table, and its size, checksum and rows into the manifest."""
    (path,) = (one for one in place.objects() if f".{name}." in one.name)
    path.unlink()
    duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    digest = digest_file(path, 1 << 40)
    count = duckdb.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchone()
    said = rows if rows is not None else (count or (0,))[0]

    def with_rows(ref: ObjectRef) -> ObjectRef:
        return ref.model_copy(update={"sha256": digest.sha256, "size": digest.size, "rows": said})

    def changed(table: TableBackup) -> TableBackup:
        if table.name != name:
            return table
        seen = table.fingerprint.model_copy(update={"rows": said})
        return table.model_copy(
            update={"objects": tuple(map(with_rows, table.objects)), "rows": said, "fingerprint": seen}
        )

    forge(place, lambda manifest: manifest.model_copy(update={"tables": tuple(map(changed, manifest.tables))}))
    return path
