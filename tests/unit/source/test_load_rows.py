"""Rows that refer to rows of their own table go in after these, however deeply nested the rest of them is."""

import re
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest
from support.snapshots import exported, manifest_of, memory_database, rows

from duckback.errors import IntegrityError
from duckback.source.load_rows import load_rows

DEEP = "STRUCT(a STRUCT(b INTEGER[][], c MAP(VARCHAR, STRUCT(d DOUBLE[], e VARCHAR))[])[])"
VALUE = f"""{{'a': [{{'b': [[i], NULL, []], 'c': [MAP {{'k' || i: {{'d': [1.5, NULL], 'e': repeat('x', i % 40)}}}}, NULL]}},
    NULL]}}::{DEEP}"""
TABLE = f"CREATE TABLE tree (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES tree (id), nested {DEEP})"
ROUNDS = 4
STATEMENTS = [
    TABLE,
    *(
        f"INSERT INTO tree SELECT i, CASE WHEN i >= 500 THEN i - 500 END, {VALUE}"
        f" FROM range({number * 500}, {number * 500 + 500}) r(j), (SELECT j::INTEGER) _(i)"
        for number in range(ROUNDS)
    ),
]


class Watched:
    """A connection that explains each INSERT before it is run."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self.plans: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._con, name)

    def execute(self, statement: str, *arguments: Any) -> Any:
        if statement.startswith("INSERT"):
            self.plans.append(str(self._con.execute(f"EXPLAIN {statement}").fetchall()))
        return self._con.execute(statement, *arguments)


def test_no_join_and_no_sort_holds_the_rows_of_a_table_that_refers_to_itself(tmp_path: Path) -> None:
    every = "SELECT id, parent, nested::VARCHAR FROM tree"
    with memory_database(tmp_path, *STATEMENTS) as source:
        export, staging = exported(source, tmp_path)
        before = rows(source, every)
    manifest, files = manifest_of(export, staging)
    with memory_database(tmp_path, TABLE) as target:
        watched = Watched(target)
        (tree,), (backup,) = manifest.catalog.tables, manifest.tables
        load_rows(cast("duckdb.DuckDBPyConnection", watched), tree, backup, files, lambda _: None)
        assert rows(target, every) == before
    assert len(watched.plans) == ROUNDS
    for plan in watched.plans:
        words = plan.lower().replace("_", " ")
        # A mark join holds its right side, the numbers, and lets the rows go by; DuckDB turns others round at will.
        assert re.findall(r"join type:\s+(\w+)", words) == ["mark"]
        assert "order by" not in words


def test_rows_whose_parents_are_nowhere_are_damage(tmp_path: Path) -> None:
    with memory_database(tmp_path, *STATEMENTS[:3]) as source:
        source.execute("CREATE TABLE orphans AS FROM tree WHERE id >= 500")
        source.execute("COPY orphans TO '" + str(tmp_path / "orphans.parquet") + "'")
        manifest, files = manifest_of(*exported(source, tmp_path))
    (tree,) = (table for table in manifest.catalog.tables if table.name == "tree")
    (backup,) = (table for table in manifest.tables if table.name == "tree")
    forged = dict.fromkeys(files, tmp_path / "orphans.parquet")
    with (
        memory_database(tmp_path, TABLE) as target,
        pytest.raises(IntegrityError, match=r"rows of table main\.tree refer to rows that are not there"),
    ):
        load_rows(target, tree, backup, forged, lambda _: None)
