"""The site is built of docs/ without a warning, refers to no other host's files, and shows what a reader of Markdown sees."""

import re
import subprocess
import sys
from pathlib import Path

import markdown
import pytest
from markdown_it import MarkdownIt

from tools.documents import ROOT

PAGES = sorted((ROOT / "docs").rglob("*.md"))
ELEMENTS = ("h1", "h2", "h3", "ol", "ul", "li", "table", "tr", "td", "pre", "code", "a", "img", "em", "strong")


def build(root: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "properdocs", "build", "--strict", "--config-file", str(root / "properdocs.yml")]
    return subprocess.run([*command, "--site-dir", str(site)], check=False, capture_output=True, text=True, cwd=root)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT, folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_document_is_a_page_of_the_site(site: Path) -> None:
    expected = {page.relative_to(ROOT / "docs").with_suffix(".html") for page in PAGES}
    assert expected <= {page.relative_to(site) for page in site.rglob("*.html")}
    assert len(expected) > 10


def test_a_page_needs_nothing_of_another_host(site: Path) -> None:
    needed = re.compile(r"""<(?:script|img|iframe)[^>]+src=["']?(?:https?:)?//|<link[^>]+href=["']?(?:https?:)?//""")
    assert [page.name for page in site.rglob("*.html") if needed.search(page.read_text())] == []


def test_a_file_of_the_repository_that_a_document_refers_to_is_in_the_site(site: Path) -> None:
    assert (site / "repository/deploy/Dockerfile").read_text() == (ROOT / "deploy/Dockerfile").read_text()
    assert 'href="repository/deploy/Dockerfile"' in (site / "five-minutes.html").read_text()
    assert 'href="repository/CONTRIBUTING.md.txt"' in (site / "index.html").read_text()
    assert (site / "repository/CONTRIBUTING.md.txt").is_file()


def test_every_broken_link_fails_the_build(tmp_path: Path) -> None:
    config = (ROOT / "properdocs.yml").read_text().replace("tools/site.py", str(ROOT / "tools/site.py"))
    (tmp_path / "properdocs.yml").write_text(re.sub(r"(?s)^nav:.*", "", config, flags=re.MULTILINE))
    (tmp_path / "docs").mkdir()
    links = "[a](gone.md), [b](other.md#no-such-heading), [c](../deploy/no-such-file), [d](other.md#there)"
    (tmp_path / "docs/index.md").write_text(f"# A page\n\n{links}\n")
    (tmp_path / "docs/other.md").write_text("# Another\n\n## There\n")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    assert done.stderr.count("WARNING") == 3, done.stderr
    assert all(link in done.stderr for link in ("gone.md", "no-such-heading", "no-such-file"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_site_shows_what_a_reader_of_markdown_sees(page: Path) -> None:
    text = page.read_text()
    shown = markdown.markdown(text, extensions=["tables", "fenced_code", "sane_lists", "toc"])
    meant = MarkdownIt("commonmark").enable("table").render(text)
    found = [[len(re.findall(f"<{element}[ >]", html)) for element in ELEMENTS] for html in (shown, meant)]
    assert found[0] == found[1]
