"""Long random histories of backups, prunes and restores that are slow, asleep, dead, or awake again."""

import os
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from support.interleave import Process, Serial
from support.writers import Book, assert_everything_adds_up, backup, lacking, prune, restore, the_id

from duckback.errors import Withdrawn
from duckback.store.memory import MemoryStore

HISTORIES = int(os.environ.get("DUCKBACK_SOAK_WRITERS", "25"))


class Writers(RuleBasedStateMachine):
    """Who is at work is chosen anew for every single call to the store."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = patch("duckback.repository.stones.ThreadPoolExecutor", Serial)
        self.pool.start()
        self.store, self.book, self.count = MemoryStore(), Book(), 1
        self.processes: list[Process] = []
        backup(self.store, self.book, 1)

    def begin(self, process: Process) -> None:
        process.step()
        self.processes.append(process)

    @rule(full=st.booleans())
    def a_backup_begins(self, full: bool) -> None:
        self.count += 1
        number = self.count
        self.begin(Process(lambda store: backup(store, self.book, number, full=full), self.store))

    @rule(keep=st.integers(1, 3))
    def a_prune_begins(self, keep: int) -> None:
        self.begin(Process(lambda store: prune(store, self.book, keep=keep), self.store))

    @rule()
    def a_restore_begins(self) -> None:
        self.begin(Process(restore, self.store))

    @precondition(lambda self: self.processes)
    @rule(which=st.integers(0, 99), steps=st.integers(1, 12))
    def somebody_goes_on(self, which: int, steps: int) -> None:
        process = self.processes[which % len(self.processes)]
        for _ in range(steps):
            if not process.is_over:
                process.step()
                self.no_backup_lacks_an_object()

    @precondition(lambda self: self.processes)
    @rule(which=st.integers(0, 99))
    def somebody_is_killed(self, which: int) -> None:
        self.processes.pop(which % len(self.processes)).kill()

    @invariant()
    def no_backup_lacks_an_object(self) -> None:
        assert lacking(self.store, {the_id(1), *self.book.completed}) == []
        for process in self.processes:
            assert process.error is None or isinstance(process.error, Withdrawn), repr(process.error)

    def teardown(self) -> None:
        try:
            for process in self.processes:
                process.kill()
            assert_everything_adds_up(self.store, self.book)
        finally:
            self.pool.stop()


TestWriters = Writers.TestCase
TestWriters.settings = settings(max_examples=HISTORIES, stateful_step_count=60, deadline=None)
