"""Every document that comes from the code: its path, and the function that gives its text."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tools import benchmarks
from tools.architecture import architecture, picture
from tools.command_line import command_line
from tools.configuration import configuration
from tools.exit_codes import exit_codes
from tools.fidelity import fidelity
from tools.metrics import metrics

ROOT = Path(__file__).parents[1]

DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "docs/architecture.md": architecture,
    "docs/architecture.svg": picture,
    "docs/benchmark-ratios.svg": benchmarks.picture,
    "docs/benchmarks.md": benchmarks.benchmarks,
    "docs/cli.md": command_line,
    "docs/configuration.md": configuration,
    "docs/exit-codes.md": exit_codes,
    "docs/fidelity.md": fidelity,
    "docs/metrics.md": metrics,
}
