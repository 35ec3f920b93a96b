"""docs/fidelity.md: how each type is stored, from the table that the code goes by."""

from collections.abc import Iterator

from duckback.model.column_types import STORAGE, Storage
from duckback.source.encoding import restored
from duckback.source.types import parse_type
from tools.markdown import filled

_EXAMPLES = {
    "array": "INTEGER[3]",
    "decimal": "DECIMAL(38,10)",
    "enum": "ENUM('a', 'b')",
    "geometry": "GEOMETRY('OGC:CRS84')",
    "list": "INTERVAL[]",
    "map": "MAP(VARCHAR, HUGEINT)",
    "null": '"NULL"',
    "struct": "STRUCT(h HUGEINT)",
    "tuple": "TUPLE(INTEGER, VARCHAR)",
    "union": "UNION(n INTEGER, t VARCHAR)",
}
_WORDS = {storage: storage.value for storage in Storage}


def fidelity() -> str:
    """The document."""
    return filled("fidelity.md", types="\n".join(_rows()), expressions="\n".join(_expressions()))


def _rows() -> Iterator[str]:
    yield "| Type | In Parquet | Verdict |"
    yield "|---|---|---|"
    for kind, storage in STORAGE.items():
        how = _WORDS[storage] if storage else "no column can be of it"
        yield f"| {kind.upper()} | {how} | {'exact' if storage else 'refused'} |"


def _expressions() -> Iterator[str]:
    yield "| A column `x` of type | is read back with |"
    yield "|---|---|"
    for kind, storage in STORAGE.items():
        if storage is None:
            continue
        of = parse_type(_EXAMPLES.get(kind, kind.upper()))
        if storage is not Storage.AS_IS or kind in {"list", "map", "struct"}:
            yield f"| `{of.sql}` | {_back(kind, restored('x', of))} |"


def _back(kind: str, expression: str) -> str:
    return "the table's `.native.duckdb`, table `rows`" if kind == "variant" else f"`{expression}`"
