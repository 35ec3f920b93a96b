"""A database that is backed up in this process, in small chunks."""

from pathlib import Path

import pytest
from support.in_process import in_small_chunks, without_children
from support.protected import Protected


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Protected:
    """Jobs run in this process, and chunks have 40 rows."""
    without_children(monkeypatch)
    in_small_chunks(monkeypatch)
    return Protected(tmp_path)
