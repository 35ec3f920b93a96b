"""What documents name is there: files, tests, processors."""

import re
from pathlib import Path

import pytest

from duckback.routes import ROUTES
from tools.documents import ROOT

PAGES = sorted((ROOT / "docs").rglob("*.md"))
BASES = (ROOT, ROOT / "src/duckback", ROOT / "tests")
PATH = re.compile(r"^[\w./-]+/$|^[\w./-]+/[\w.-]+\.(?:py|toml|yaml|md|svg)$")
TEST = re.compile(r"^[\w./-]+\.py::\w+$")
_TOP = {path.name for base in BASES for path in base.iterdir() if path.is_dir()}


def literals(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def is_there(path: str) -> bool:
    return any((base / path).exists() for base in BASES)


def missing(text: str) -> list[str]:
    """The files of the repository and the tests that the text names as code and that are not there."""
    gone = []
    for literal in literals(text):
        path, _, test = literal.partition("::")
        if TEST.match(literal):
            file = ROOT / "tests" / path
            if not file.is_file() or not re.search(rf"^def {test}\(", file.read_text(), re.MULTILINE):
                gone.append(literal)
        elif PATH.match(path) and path.split("/")[0] in _TOP and not is_there(path):
            gone.append(literal)
    return gone


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_test_that_a_document_names_is_there(page: Path) -> None:
    assert missing(page.read_text()) == []


def test_what_is_not_there_would_be_found() -> None:
    text = "`model/no_such.py`, `golden/test_golden.py::test_no_such`, `no_such/`, `tests/no_such/`, `model/ids.py`"
    assert missing(text) == ["model/no_such.py", "golden/test_golden.py::test_no_such", "tests/no_such/"]


def test_the_map_of_the_specification_names_files_and_tests() -> None:
    named = literals((ROOT / "docs/specification.md").read_text())
    assert len({one for one in named if "::" in one}) > 50
    assert len({one for one in named if PATH.match(one)}) > 20


def test_the_processors_of_the_specification_are_those_of_the_routes() -> None:
    named = {one for one in literals((ROOT / "docs/specification.md").read_text()) if one.endswith("Processor")}
    assert len(named) == 6
    kebab = {
        re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", one.removesuffix("Processor").replace("DuckDB", "Duckdb")).lower()
        for one in named
    }
    assert kebab <= {name for route in ROUTES for name in route.processors}


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_the_documents_beside_the_code_name_and_link_what_is_there(name: str) -> None:
    text = (ROOT / name).read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []
    assert missing(text) == []
