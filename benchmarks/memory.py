"""Peak memory of all processes together, of a table of 2 GB and more."""

import shutil
from pathlib import Path

from benchmarks.measure import Measured, Row, run_job
from benchmarks.sampler import memory_unit

TARGET_BYTES = 10**9
_TIMES = (1, 2, 4, 8)


def peaks(database: Path, folder: Path) -> list[Row]:
    """Back up, export, restore and import the database, each once and sampled.

    Args:
        database: the file.
        folder: for all that is written.
    """
    size = f"{database.stat().st_size / 1e9:.1f} GB"
    repo, exported = folder / "repo", folder / "export"
    backup = run_job("backup", database, repo, sampled=True)
    export = _with_enough_memory("export", database, exported)
    restore = run_job("restore", repo, folder / "restored.duckdb", sampled=True)
    load = _with_enough_memory("import", exported, folder / "imported.duckdb")
    return [
        _row(f"peak {memory_unit()}, backup of a table of {size}", backup, *export),
        _row(f"peak {memory_unit()}, restore of a table of {size}", restore, *load),
    ]


def _with_enough_memory(name: str, origin: Path, target: Path) -> tuple[Measured, str]:
    """The peer with Duckback's memory limit, or with the first double of it that is enough; and its name in words."""
    for times in _TIMES:
        try:
            measured = run_job(name, origin, target, memory_times=times, sampled=True)
        except RuntimeError as error:
            if "Out of Memory" not in str(error) or times == _TIMES[-1]:
                raise
            shutil.rmtree(target, ignore_errors=True)
            target.unlink(missing_ok=True)
        else:
            return measured, f"{name.upper()} DATABASE" + (f" (out of memory below {times} x)" if times > 1 else "")
    raise AssertionError


def _row(what: str, ours: Measured, peer: Measured, peer_name: str) -> Row:
    return Row(
        what=what,
        duckback=f"{ours.peak_bytes / 1e6:.0f} MB in {ours.seconds:.0f} s",
        peer=f"{peer.peak_bytes / 1e6:.0f} MB in {peer.seconds:.0f} s  {peer_name}",
        ratio=f"{ours.peak_bytes / peer.peak_bytes:.2f}",
        target=f"< {TARGET_BYTES / 1e6:.0f} MB",
        is_met=ours.peak_bytes < TARGET_BYTES,
    )
