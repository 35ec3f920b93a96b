"""Jobs without child processes, and tables in small chunks: for tests of many backups of small databases."""

import sys
from importlib import import_module

import pytest

from duckback.model.progress import Report
from duckback.source import changes, child, table_writer
from duckback.source.jobs import Caller, Job
from duckback.source.order import Fetch, nothing_to_fetch
from duckback.source.tasks import perform


def run_here(job: Job, report: Report, fetch: Fetch = nothing_to_fetch) -> str:
    """What `run_job` answers, by this process."""
    return perform(job, Caller(report, fetch))


def without_children(patch: pytest.MonkeyPatch) -> None:
    """Have every job run in this process; only for databases that nobody has open in it."""
    original = child.run_job
    # Others import it when they need it, and would keep the patch for ever.
    import_module("duckback.source.capture_connection")
    for name, module in list(sys.modules.items()):
        if name.startswith("duckback.") and getattr(module, "run_job", None) is original:
            patch.setattr(module, "run_job", run_here)


def in_small_chunks(patch: pytest.MonkeyPatch, rows: int = 40) -> None:
    """Cut tables into chunks of so many rows, so that small ones have several chunks, parts and batches."""
    for module in (changes, table_writer):
        patch.setattr(module, "CHUNK_ROWS", rows)
        patch.setattr(module, "CHUNKS_PER_FILE", 3)
    patch.setattr(changes, "CHUNKS_PER_BATCH", 2)
