"""Progress bars: rows or bytes, their rate, the time left."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from duckback.cli.output import size
from duckback.model import progress as model
from duckback.model.progress import Report


class _Amount(ProgressColumn):
    def render(self, task: Task) -> Text:
        """`done of total` in the task's unit, with its rate."""
        if task.fields["unit"] == "bytes":
            text = f"{size(int(task.completed))} of {size(int(task.total or 0))}, {size(int(task.speed or 0))}/s"
        else:
            text = f"{int(task.completed):,} of {int(task.total or 0):,} rows, {int(task.speed or 0):,}/s"
        return Text(text)


@contextmanager
def bars_on_stderr() -> Iterator[Report]:
    """A report that draws one bar a step."""
    columns = (TextColumn("{task.description}"), BarColumn(), _Amount(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(update: model.Progress) -> None:
            in_bytes = update.bytes_total > 0
            done, total = (update.bytes_done, update.bytes_total) if in_bytes else (update.rows_done, update.rows_total)
            if update.step not in tasks:
                tasks[update.step] = bars.add_task(update.step, total=total, unit="bytes" if in_bytes else "rows")
            bars.update(tasks[update.step], completed=done, total=total)

        yield report
