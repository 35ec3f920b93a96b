"""Running jobs in fresh processes: wall time, the memory of all their processes, and what came out as a table."""

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import duckdb
import psutil

from benchmarks.sampler import Sampler
from duckback.config.options import Options

_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Measured:
    """One run of a job.

    Attributes:
        seconds: wall time from the start of its process to its end.
        cpu_seconds: of all its processes, user and system; other work on the machine adds less to it.
        steps: the seconds of each processor, for Duckback's own jobs; of a backup also the `bytes` that it added.
        peak_bytes: the highest sum over its processes, 0 if it was not sampled.
    """

    seconds: float
    cpu_seconds: float = 0.0
    steps: Mapping[str, float] = field(default_factory=dict)
    peak_bytes: int = 0


@dataclass(frozen=True)
class Row:
    """One line of the table; `is_met` is None where there is no target."""

    what: str
    duckback: str
    peer: str = ""
    ratio: str = ""
    target: str = ""
    is_met: bool | None = None


def run_job(name: str, origin: Path, target: Path, *, memory_times: int = 1, sampled: bool = False) -> Measured:
    """Run a job of benchmarks.job in a fresh process, with Duckback's default memory limit and threads.

    Args:
        name: of the job.
        origin: what it reads.
        target: what it writes.
        memory_times: how many times the default limit it may have.
        sampled: whether its memory is sampled, which takes time from it.

    Raises:
        RuntimeError: the job failed; its last words are in the message.
    """
    options = Options()
    memory_limit = f"{memory_times * int(options.memory_limit.removesuffix('MB'))}MB"
    arguments = [name, str(origin), str(target), memory_limit, str(options.threads)]
    started, used = time.perf_counter(), _cpu_seconds()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.job", *arguments],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    sampler = Sampler(process.pid) if sampled else None
    out, errors = process.communicate()
    seconds, cpu_seconds = time.perf_counter() - started, _cpu_seconds() - used
    peak = sampler.stop() if sampler else 0
    if process.returncode != 0:
        raise RuntimeError(f"{name} of {origin.name} ended with {process.returncode}: {errors[-2000:]}")
    return Measured(seconds, cpu_seconds, json.loads(out), peak)


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def interleaved(repeat: int, *jobs: Callable[[], Measured]) -> list[list[Measured]]:
    """Run the jobs in turn, A B A B …, so that what else the machine does falls on all of them alike."""
    results: list[list[Measured]] = [[] for _ in jobs]
    for _ in range(repeat):
        for job, found in zip(jobs, results, strict=True):
            found.append(job())
    return results


def median_seconds(runs: Sequence[Measured]) -> float:
    """The median of their wall times."""
    return median(run.seconds for run in runs)


def median_steps(runs: Sequence[Measured]) -> str:
    """The median seconds of each step that took long enough to matter, in words."""
    medians = {name: median(run.steps[name] for run in runs) for name in runs[0].steps if name != "bytes"}
    rest = median_seconds(runs) - sum(medians.values())
    shown = [f"{name} {seconds:.2f}" for name, seconds in medians.items() if seconds >= 0.05]
    return ", ".join([*shown, f"start and the rest {rest:.2f}"])


def compared(
    what: str, ours: Sequence[Measured], peer: Sequence[Measured], peer_name: str, *, target: float | None
) -> Row:
    """Median seconds against the peer's; the spread is of the ratios of neighbouring runs."""
    ratio = median_seconds(ours) / median_seconds(peer)
    pairs = [one.seconds / other.seconds for one, other in zip(ours, peer, strict=True)]
    return Row(
        what=what,
        duckback=f"{median_seconds(ours):.2f} s",
        peer=f"{median_seconds(peer):.2f} s  {peer_name}",
        ratio=f"{ratio:.2f} ({min(pairs):.2f}-{max(pairs):.2f})",
        target="" if target is None else f"<= {target}",
        is_met=None if target is None else ratio <= target,
    )


def compared_cpu(ours: Sequence[Measured], peer: Sequence[Measured]) -> Row:
    """Median CPU seconds of all processes against the peer's."""
    mine, theirs = (median(run.cpu_seconds for run in runs) for runs in (ours, peer))
    return Row("  CPU seconds", f"{mine:.2f}", f"{theirs:.2f}", f"{mine / theirs:.2f}")


def machine() -> str:
    """What the figures were measured on and with."""
    options = Options()
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, {platform.system()}; "
        f"Python {platform.python_version()}, DuckDB {duckdb.__version__}; "
        f"all jobs: memory_limit {options.memory_limit}, {options.threads} threads"
    )


def table(rows: Sequence[Row]) -> str:
    """The rows in columns of equal width."""
    words = {True: "met", False: "MISSED", None: ""}
    lines = [["what", "Duckback", "peer", "ratio (of pairs)", "target", ""]]
    lines += [[row.what, row.duckback, row.peer, row.ratio, row.target, words[row.is_met]] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
