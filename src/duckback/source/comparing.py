"""The rows of tables in two backups, compared from their objects."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

from duckback.model.damage import label_of
from duckback.model.manifest import Manifest
from duckback.model.progress import Progress, Report
from duckback.source.engine import connect, shut_in, translated
from duckback.source.fingerprint import row_hash
from duckback.source.load_rows import rows_of
from duckback.source.progress import followed
from duckback.source.reading import refuse_more_rows
from duckback.source.resources import Resources

CHANGES: TypeAdapter[dict[str, tuple[int, int]]] = TypeAdapter(dict[str, tuple[int, int]])
"""By table, how many rows were added and how many removed."""


def compare_rows(
    before: Manifest, now: Manifest, files: Mapping[str, Path], *, resources: Resources, report: Report
) -> dict[str, tuple[int, int]]:
    """How many rows of each table are in the second backup alone, and how many in the first alone.

    Rows are equal where two 64-bit hashes of them are.

    Args:
        before: the first manifest, narrowed to tables that both have with the same columns.
        now: the second one, likewise.
        files: each object's key → a local file with its bytes, which were checked.
        resources: limits for DuckDB, which spills.
        report: hears how many rows are compared.

    Raises:
        SourceError: the objects cannot be read.
        IntegrityError: one does not hold as many rows as its manifest says.
    """
    earlier = {label_of(table): table for table in before.tables}
    definitions = {(table.schema_name, table.name): table for table in now.catalog.tables}
    total, done = before.rows + now.rows, 0
    found: dict[str, tuple[int, int]] = {}
    with connect(resources) as con:
        shut_in(con, files.values())
        for new in now.tables:
            label, table = label_of(new), definitions[new.schema_name, new.name]
            hashes = row_hash(table.stored_columns)
            con.execute("CREATE TEMPORARY TABLE pool (h1 UBIGINT, h2 UBIGINT, side TINYINT)")
            for rows, side in ((earlier[label], -1), (new, 1)):

                def tell(share: float, so_far: int = done, of: int = rows.rows) -> None:
                    report(Progress("compare", rows_done=so_far + int(share * of), rows_total=total))

                with translated(f"table {label}"):
                    refuse_more_rows(con, rows, files)
                    with rows_of(con, table, rows, files) as relation, followed(con, tell):
                        con.execute(
                            f"INSERT INTO pool SELECT {hashes.first}, {hashes.second}, {side} FROM {relation}"
                        ).fetchall()
                done += rows.rows
            with translated(f"table {label}"):
                ((added, removed),) = con.execute(_COUNTED).fetchall()
                con.execute("DROP TABLE pool")
            found[label] = (int(added), int(removed))
    return found


_COUNTED = """
SELECT coalesce(sum(greatest(surplus, 0)), 0), coalesce(sum(greatest(-surplus, 0)), 0)
FROM (SELECT sum(side) AS surplus FROM pool GROUP BY h1, h2)
"""
