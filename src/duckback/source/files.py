"""The rows of a backup's files as relations, every value again of the type that it had in its table."""

from collections.abc import Sequence
from pathlib import Path

from duckback.model.catalog import Column
from duckback.model.column_types import Storage, storage_of
from duckback.source.encoding import restored
from duckback.source.sql import identifier, literal
from duckback.source.types import parse_type


def parquet_rows(paths: Sequence[Path], columns: Sequence[Column], *, numbered: bool = False) -> str:
    """The relation with these columns of Parquet files, in their order.

    Args:
        paths: the files of one table.
        columns: as the table has them.
        numbered: with `file_row_number` beside them.
    """
    types = {column.name: parse_type(column.type) for column in columns}
    files = ", ".join(literal(str(path)) for path in paths)
    # A folder on the way to the files that is called like `region=eu` is no column of theirs.
    options = f"hive_partitioning = false{', file_row_number = true' if numbered else ''}"
    relation = f"read_parquet([{files}], {options})"
    if all(storage_of(part) is Storage.AS_IS for of in types.values() for part in of.parts()):
        return relation
    values = [f"{restored(identifier(name), of)} AS {identifier(name)}" for name, of in types.items()]
    return f"(SELECT {', '.join([*values, *(['file_row_number'] if numbered else [])])} FROM {relation})"
