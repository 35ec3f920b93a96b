"""Images of a database that another process writes to without pause: each one whole, and as new as promised."""

import os
from pathlib import Path

import pytest
from support.engines import INSTALLED
from support.stress.captures import image, kept_image, plain_copy
from support.stress.driver import Outcome, stress
from support.stress.summary import summary

CAPTURES = int(os.environ.get("DUCKBACK_SOAK_CAPTURES", "15"))
"""For each release of DuckDB, a third of them over the image before; a soak asks for more (`-rP` shows the summaries)."""

PLAIN_COPIES = 40
DISK = 400.0
"""Megabytes a second. A copy at the speed of the page cache is bad about every fourth time, at this one nearly always."""


@pytest.mark.timeout(240 + 10 * CAPTURES)
@pytest.mark.parametrize(("engine", "readers"), [("1.5", ("1.5", INSTALLED)), (INSTALLED, (INSTALLED,))])
def test_every_image_is_consistent_and_lacks_nothing_where_plain_copies_fail(
    tmp_path: Path, engine: str, readers: tuple[str, ...]
) -> None:
    with stress(tmp_path, engine, readers=readers) as busy:
        assert any(one.verdict != "good" for one in busy.outcomes(plain_copy(DISK), PLAIN_COPIES))
        fresh, kept, bad = CAPTURES - CAPTURES // 3, kept_image(busy.folder / "kept"), tmp_path / "bad"
        outcomes: list[Outcome] = []
        try:
            outcomes.extend(busy.outcomes(image, fresh, bad=bad))
            outcomes.extend(busy.outcomes(kept, CAPTURES - fresh, bad=bad))
        finally:
            print(summary(f"DuckDB {engine}", outcomes))
        print(busy.writer.stop())
    assert [one for one in outcomes if one.verdict != "good"] == []
