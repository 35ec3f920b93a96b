"""Documents that come from the code say what the code says."""

import ast
import re
from html import escape

import duckdb
import pytest

from tools.documents import DOCUMENTS, ROOT


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_document_is_the_one_that_the_code_gives(name: str) -> None:
    if name == "docs/fidelity.md" and duckdb.__version__.startswith("1."):
        pytest.skip("DuckDB 1 does not know every type of the table")
    assert (ROOT / name).read_text(encoding="utf-8") == DOCUMENTS[name](), "run `make docs`"


def test_the_documentation_of_the_command_line_has_every_json_document_with_its_fields() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| .+? \| (.+) \|$", (ROOT / "docs/cli.md").read_text(), re.MULTILINE)
    told = {name: set(re.findall(r"`([a-z_0-9]+)`", fields)) for name, fields in rows}
    printed = documents_of_the_command_line()
    assert told.keys() == printed.keys()
    assert {name: fields - told[name] for name, fields in printed.items() if fields - told[name]} == {}


def documents_of_the_command_line() -> dict[str, set[str]]:
    """What the verbs print: the words of the schemas, and the fields that are given by name."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "src/duckback/cli").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
                continue
            first = node.args[0]
            if node.func.id in {"document", "print_document"} and isinstance(first, ast.Constant):
                fields = {keyword.arg for keyword in node.keywords if keyword.arg}
                found[str(first.value)] = found.get(str(first.value), set()) | fields
    return found


def test_the_benchmarks_that_can_be_asked_for_are_those_that_the_page_names() -> None:
    source = (ROOT / "benchmarks/__main__.py").read_text()
    (names,) = re.findall(r"^_NAMES = \((.+)\)$", source, re.MULTILINE)
    told = re.findall(r"^\| `([a-z][a-z-]+)` \|", (ROOT / "docs/benchmarks.md").read_text(), re.MULTILINE)
    assert told == re.findall(r'"([a-z-]+)"', names)


def test_the_picture_of_the_benchmarks_has_every_row_of_the_readme_with_a_ratio() -> None:
    rows = re.findall(r"^\| ([^|]+) \| .*\d.* \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    picture = (ROOT / "docs/benchmark-ratios.svg").read_text()
    assert len(rows) > 10
    assert [row for row in rows if escape(row) not in picture] == []
