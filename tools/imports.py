"""What imports what, as import-linter sees it: the layers of pyproject.toml and the packages' real imports."""

import importlib
import inspect
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import grimp

ROOT_PACKAGE = "duckback"
_PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"

Imports = Mapping[str, frozenset[str]]
"""Package → the packages that it imports."""


@cache
def contracts() -> list[dict[str, Any]]:
    """The contracts that `make lint` checks."""
    found: list[dict[str, Any]] = tomllib.loads(_PYPROJECT.read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    return found


def layers() -> list[list[str]]:
    """The layers from the top; packages of one layer in their order there."""
    (found,) = (contract["layers"] for contract in contracts() if contract["type"] == "layers")
    return [[package.strip() for package in layer.split("|")] for layer in found]


@cache
def imports() -> Imports:
    """What the packages import of one another."""
    graph = grimp.build_graph(ROOT_PACKAGE, cache_dir=None)
    names = {name: name.rpartition(".")[2] for name in graph.find_children(ROOT_PACKAGE)}
    return {package: frozenset(_imported(graph, name)) - {package} for name, package in sorted(names.items())}


def _imported(graph: grimp.ImportGraph, name: str) -> Iterator[str]:
    for module in {name, *graph.find_descendants(name)}:
        for other in graph.find_modules_directly_imported_by(module):
            if other != ROOT_PACKAGE:
                yield other.split(".")[1]


def reduced(edges: Imports) -> Imports:
    """The imports without those that others imply: what is left shows the same order with the fewest arrows."""
    reach = {package: _reach(package, edges) for package in edges}
    return {
        package: frozenset(one for one in direct if not any(one in reach[other] for other in direct))
        for package, direct in edges.items()
    }


def _reach(package: str, edges: Imports) -> set[str]:
    found = set(edges[package])
    for one in edges[package]:
        found |= _reach(one, edges)
    return found


def meaning(package: str) -> str:
    """The first sentence of a package's docstring."""
    return inspect.cleandoc(importlib.import_module(f"{ROOT_PACKAGE}.{package}").__doc__ or "").partition("\n")[0]
