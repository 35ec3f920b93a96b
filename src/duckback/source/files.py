"""The rows of a backup's files as relations, every value again of the type that it had in its table."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from duckback.model.catalog import Column
from duckback.model.column_types import Storage, storage_of
from duckback.model.manifest import TableBackup
from duckback.source.encoding import restored
from duckback.source.sql import identifier, literal
from duckback.source.types import parse_type

POSITION_COLUMNS = (Column(name="object", type="VARCHAR"), Column(name="row", type="BIGINT"))
"""Of a file with the positions of rows that are gone: the object's name and the row in it, counted from 0."""

_POSITIONS = ("file_index", "file_row_number")
_ROWS_OF_A_FILE = 1 << 40


def parquet_rows(paths: Sequence[Path | str], columns: Sequence[Column], *, numbered: bool = False) -> str:
    """The relation with these columns of Parquet files, in their order.

    Args:
        paths: the files of one table, or other addresses at which DuckDB finds them.
        columns: as the table has them.
        numbered: with `file_index` and `file_row_number` beside them.
    """
    types = {column.name: parse_type(column.type) for column in columns}
    files = ", ".join(literal(str(path)) for path in paths)
    # A folder on the way to the files that is called like `region=eu` is no column of theirs.
    options = f"hive_partitioning = false{', file_row_number = true' if numbered else ''}"
    relation = f"read_parquet([{files}], {options})"
    if all(storage_of(part) is Storage.AS_IS for of in types.values() for part in of.parts()):
        return relation
    values = [f"{restored(identifier(name), of)} AS {identifier(name)}" for name, of in types.items()]
    return f"(SELECT {', '.join([*values, *(_POSITIONS if numbered else [])])} FROM {relation})"


def rows_that_count(backup: TableBackup, files: Mapping[str, Path | str], columns: Sequence[Column]) -> str:
    """The relation with these columns of a table's objects, without the rows whose positions are listed as removed.

    Args:
        backup: says which objects, and which list positions.
        files: each object's key → the local file, or another address of it.
        columns: as the table has them.
    """
    paths = [files[ref.key] for ref in backup.objects]
    if not backup.removed:
        return parquet_rows(paths, columns)
    names = ", ".join(literal(ref.position_name) for ref in backup.objects)
    listed = parquet_rows([files[ref.key] for ref in backup.removed], POSITION_COLUMNS)
    gone = f'SELECT (list_position([{names}], object) - 1) * {_ROWS_OF_A_FILE} + "row" FROM {listed}'
    position = f"file_index::BIGINT * {_ROWS_OF_A_FILE} + file_row_number"
    values = ", ".join(identifier(column.name) for column in columns)
    numbered = parquet_rows(paths, columns, numbered=True)
    return f"(SELECT {values} FROM {numbered} WHERE NOT {among(position, gone)})"


def among(value: str, query: str) -> str:
    """The condition that a number is among those of a query.

    In `coalesce`, or DuckDB may turn the join round and keep whole rows in its hash table: that takes memory for all of
    them, and DuckDB 2.0.0 crashes over deeply nested types in there.
    """
    return f"coalesce({value} IN ({query}), false)"
