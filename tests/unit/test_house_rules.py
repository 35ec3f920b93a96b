"""Rules of the house that no tool on the registry checks."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import duckback
from duckback import errors

ROOT = Path(duckback.__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py")) + sorted((ROOT / "benchmarks").rglob("*.py"))


def test_no_file_is_longer_than_400_lines() -> None:
    assert len(SOURCES) > 50
    long = {path.name: lines for path in (*SOURCES, *TESTS) if (lines := len(path.read_text().splitlines())) > 400}
    assert long == {}


def test_the_median_source_file_is_under_120_lines() -> None:
    lengths = sorted(len(path.read_text().splitlines()) for path in SOURCES)
    assert lengths[len(lengths) // 2] < 120


def test_every_suppression_gives_its_reason() -> None:
    bare = re.compile(r"# (?:noqa: [A-Z0-9, ]+|type: ignore\[[a-z-]+\])\s*$")
    found = [
        f"{p.name}:{n}" for p in SOURCES for n, line in enumerate(p.read_text().splitlines(), 1) if bare.search(line)
    ]
    assert found == []


def test_every_error_class_has_an_exit_code_of_the_documented_table() -> None:
    codes = {cls.exit_code for cls in errors.error_classes().values()}
    assert codes == {1, 2, 10, 11, 12, 20, 30, 40, 50, 130}


def test_the_tree_in_the_docstring_names_every_error_class() -> None:
    for name, cls in errors.error_classes().items():
        assert re.search(rf"\b{name}\s+{cls.exit_code}\b", errors.__doc__ or ""), name


def test_the_lock_file_names_no_index() -> None:
    text = (ROOT / "requirements-dev.txt").read_text()
    assert "--hash=sha256:" in text
    assert "://" not in text
    assert "index" not in text.replace("# via", "")


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("duckback.api", {"duckdb", "boto3", "botocore", "tigerbeetle", "typer", "rich", "structlog", "urllib3"}),
        ("duckback.source.worker", {"duckdb", "pydantic", "duckback.model.manifest"}),
    ],
)
def test_what_runs_every_few_hours_does_not_import_what_it_may_not_need(module: str, unwanted: set[str]) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert unwanted.isdisjoint(found)
