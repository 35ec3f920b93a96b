"""Whatever is backed up and pruned, the repository's balance is what its manifests refer to, in both ledgers."""

import tempfile
from pathlib import Path
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st
from support.fake_tigerbeetle import FakeCluster
from support.world import World

from duckback.ledger.reconcile import reconcile
from duckback.model.events import repository_account_id

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["full", "incremental", "prune", "killed", "deliver"]),
        st.lists(st.integers(0, 2**40), max_size=3),
        st.integers(0, 99),
    ),
    max_size=14,
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_the_balance_is_the_bytes_that_manifests_refer_to(steps: list[tuple[str, list[int], int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        cluster = FakeCluster(Path(folder) / "cluster")
        with patch("tigerbeetle.ClientSync", cluster.client):
            world = World(Path(folder))
            for what, sizes, choice in steps:
                take(world, what, sizes, choice)
                assert balance(world) == bytes_referred_to(world) == sum(world.sizes.values())
            world.deliver()
            answers = world.answers()
            found = reconcile(world.evidence())
            world.close()
    assert answers is not None
    assert answers.balance[1] - answers.balance[0] == bytes_referred_to(world)
    assert (found.findings, found.unknown, found.pending) == ((), (), ())


def take(world: World, what: str, sizes: list[int], choice: int) -> None:
    there = list(world.held)
    if what == "full" or (what == "incremental" and not there):
        world.backup(sizes)
    elif what == "incremental":
        world.backup(sizes, parent=there[choice % len(there)])
    elif what == "prune" and there:
        world.prune(there[choice % len(there)])
    elif what == "killed":
        world.start()
    elif what == "deliver":
        world.deliver()


def balance(world: World) -> int:
    debited, credited = world.ledger.balance(repository_account_id(world.repository_id).int)
    return credited - debited


def bytes_referred_to(world: World) -> int:
    return sum({ref.key: ref.size for one in world.held.values() for ref in one.manifest.objects}.values())
