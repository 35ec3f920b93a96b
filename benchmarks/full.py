"""Full backup and restore against EXPORT DATABASE and IMPORT DATABASE: time."""

import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Measured, Row, compared, compared_cpu, interleaved, median_seconds, median_steps, run_job

BACKUP_TARGET = 1.5
RESTORE_TARGET = 1.6
FLOOR_ROWS = 100_000
FLOOR_SECONDS = 30.0

Say = Callable[[str], None]


def backup_and_restore(
    what: str, database: Path, rows: int, folder: Path, *, repeat: int, say: Say, is_judged: bool = True
) -> list[Row]:
    """Back the database up and export it, in turn; then restore the backup and import the export, in turn.

    Args:
        what: the database in words.
        database: the file.
        rows: how many it has.
        folder: for all that is written.
        repeat: how many times each.
        say: hears where the time went.
        is_judged: the ratios have a target here: process starts weigh more than rows in a small database.
    """
    repo, exported = folder / "repo", folder / "export"
    backups, exports = interleaved(
        repeat,
        lambda: _anew(repo, lambda: run_job("backup", database, repo)),
        lambda: _anew(exported, lambda: run_job("export", database, exported)),
    )
    say(f"{what}, backup: {median_steps(backups)}")
    target = folder / "restored.duckdb"
    imported = folder / "imported.duckdb"
    restores, imports = interleaved(
        repeat,
        lambda: _anew(target, lambda: run_job("restore", repo, target)),
        lambda: _anew(imported, lambda: run_job("import", exported, imported)),
    )
    say(f"{what}, restore: {median_steps(restores)}")
    for path in (repo, exported, target, imported, folder / "state"):
        _remove(path)
    size = f"{what}, {rows:,} rows"
    targets = (BACKUP_TARGET, RESTORE_TARGET) if is_judged else (None, None)
    return [
        compared(f"backup of {size}", backups, exports, "EXPORT DATABASE", target=targets[0]),
        compared_cpu(backups, exports),
        Row("  rows/s", _rate(rows, backups), _rate(rows, exports)),
        compared(f"restore of {size}", restores, imports, "IMPORT DATABASE", target=targets[1]),
        compared_cpu(restores, imports),
        Row("  rows/s", _rate(rows, restores), _rate(rows, imports)),
    ]


def floor(database: Path, rows: int, folder: Path, repeat: int) -> list[Row]:
    """The mission's floor: so many rows in under 30 seconds, from the start of the process to its end."""
    repo, exported = folder / "repo", folder / "export"
    ours, peer = interleaved(
        repeat,
        lambda: _anew(repo, lambda: run_job("backup", database, repo)),
        lambda: _anew(exported, lambda: run_job("export", database, exported)),
    )
    row = compared(f"backup of {rows:,} rows", ours, peer, "EXPORT DATABASE", target=None)
    return [
        Row(
            what=row.what,
            duckback=row.duckback,
            peer=row.peer,
            ratio=row.ratio,
            target=f"< {FLOOR_SECONDS:.0f} s",
            is_met=median_seconds(ours) < FLOOR_SECONDS,
        )
    ]


def _anew(path: Path, job: Callable[[], Measured]) -> Measured:
    _remove(path)
    return job()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def _rate(rows: int, runs: list[Measured]) -> str:
    return f"{rows / median_seconds(runs):,.0f}"
