"""What is distributed: the wheel has the package and no more, the source distribution can be built, and says what it needs."""

import ast
import re
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from support.wheels import ROOT, build

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_wheel_has_the_package_its_types_and_its_licence_and_no_more(tmp_path: Path) -> None:
    sdist, wheel = build(tmp_path)
    package = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src/duckback").rglob("*.py")}
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (archive.read(name).decode() for name in names if name.endswith("/METADATA"))
        (scripts,) = (archive.read(name).decode() for name in names if name.endswith("/entry_points.txt"))
    assert {name for name in names if ".dist-info/" not in name} == package | {"duckback/py.typed"}
    assert [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]
    assert set(re.findall(r"^Requires-Dist: ([\w-]+)", metadata, re.MULTILINE)) == {"tigerbeetle", *needed()}
    assert "duckback = duckback.cli.main:main" in scripts

    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile", "docs/index.md"} <= inside
    assert "tests/golden/format-1/repository.json" in inside
    assert [
        name for name in inside if re.search(r"(^|/)(\.venv|__pycache__|\.\w+_cache|build|dist)(/|$)|\.pyc$", name)
    ] == []


def needed() -> set[str]:
    return {re.match(r"[\w-]+", one)[0] for one in PROJECT["dependencies"]}  # type: ignore[index]  # they begin with a name


def test_every_library_that_is_imported_is_one_that_is_installed_with_it() -> None:
    imported = {name for path in (ROOT / "src").rglob("*.py") for name in imports(ast.parse(path.read_text()))}
    outside = imported - sys.stdlib_module_names - {"duckback"}
    providers = packages_distributions()
    declared = {*needed(), "tigerbeetle"}
    assert len(outside) > 8
    provided = {name: {one.lower().replace("_", "-") for one in providers[name]} for name in outside}
    # botocore is boto3's own, and cannot be without it.
    assert {name for name, by in provided.items() if not by & declared} == {"botocore"}


def imports(node: ast.AST) -> Iterator[str]:
    """The first words of what is imported when the module runs: not what type checkers alone read."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module.partition(".")[0]
    for child in ast.iter_child_nodes(node):
        yield from imports(child)
