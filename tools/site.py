"""A hook of the site's generator: documents may refer to files of the repository that are not documents.

Such a file becomes a part of the site, below `repository/`. One that is not there is left to the generator, which
warns of it.
"""

import posixpath
import re
from pathlib import Path

from properdocs.config.defaults import ProperDocsConfig
from properdocs.structure.files import File, Files, InclusionLevel
from properdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
_DOCS = "docs"
_FOLDER = "repository"
_LINK = re.compile(r"\]\(((?:\.\./)+[^)#]+)\)")


def on_files(files: Files, config: ProperDocsConfig) -> Files:
    """Add the files that documents refer to."""
    named = {
        outside
        for page in files.documentation_pages()
        for link in _LINK.findall(page.content_string)
        if (outside := _outside(link, page.src_uri))
    }
    for path in sorted(named):
        made = File.generated(config, _place(path), abs_src_path=str(ROOT / path), inclusion=InclusionLevel.NOT_IN_NAV)
        files.append(made)
    return files


def on_page_markdown(markdown: str, page: Page, config: ProperDocsConfig, files: Files) -> str:  # noqa: ARG001 -- it is called by these names
    """Let the links lead there."""

    def moved(found: re.Match[str]) -> str:
        outside = _outside(found[1], page.file.src_uri)
        if outside is None:
            return found[0]
        return f"]({posixpath.relpath(_place(outside), posixpath.dirname(page.file.src_uri) or '.')})"

    return _LINK.sub(moved, markdown)


def _outside(link: str, page: str) -> str | None:
    """The path in the repository, where a link leads to a file that is not below docs/."""
    path = posixpath.normpath(posixpath.join(_DOCS, posixpath.dirname(page), link))
    return path if not path.startswith((f"{_DOCS}/", "..")) and (ROOT / path).is_file() else None


def _place(path: str) -> str:
    # A document would become a page, whose own links lead nowhere.
    return f"{_FOLDER}/{path}.txt" if path.endswith(".md") else f"{_FOLDER}/{path}"
