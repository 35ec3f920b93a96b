"""Fixtures that several kinds of tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import tigerbeetle
from support.fake_tigerbeetle import FakeCluster
from support.place import Place, copies, stocked
from support.seaweed import Seaweed
from support.tigerbeetle import TigerBeetleServer

_NOT_MEASURED = {"deploy", "docs", "faults", "golden", "integration", "stress", "writers"}
"""Folders of tests whose child processes are not measured; what runs in the tests' own process always is."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say whether a real TigerBeetle was there: a test that is skipped in silence proves nothing."""
    terminalreporter.section("ledger")
    terminalreporter.line(tigerbeetle.summary(), yellow=not tigerbeetle.is_there())


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """A running S3 server (one a worker, started when first asked for); boto3 finds its identities only."""
    server = Seaweed(tmp_path_factory.mktemp("seaweed"))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
            patch.delenv(name, raising=False)
        for name, value in server.environment().items():
            patch.setenv(name, value)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def _started_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TigerBeetleServer | None]:
    binary = os.environ.get(tigerbeetle.BINARY)
    if not binary:
        yield None
        return
    server = TigerBeetleServer(binary, tmp_path_factory.mktemp("tigerbeetle"))
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def fake_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """A double of a cluster, which every client of this process reaches, whatever its addresses."""
    cluster = FakeCluster(tmp_path / "cluster")
    monkeypatch.setattr("tigerbeetle.ClientSync", cluster.client)
    return cluster


@pytest.fixture
def tigerbeetle_addresses(_started_server: TigerBeetleServer | None) -> tuple[str, ...]:
    """A real cluster with id 0; what other tests wrote is in it."""
    if not tigerbeetle.is_there():
        pytest.skip(tigerbeetle.NOT_RUN)
    if _started_server is not None:
        return (_started_server.address,)
    return tuple(os.environ[tigerbeetle.ADDRESSES].split(","))


@pytest.fixture
def tigerbeetle_server(_started_server: TigerBeetleServer | None) -> Iterator[TigerBeetleServer]:
    """A real server that may be stopped and paused; it runs again afterwards."""
    if _started_server is None:
        pytest.skip(tigerbeetle.NOT_OURS)
    yield _started_server
    _started_server.stop()
    _started_server.start()


@pytest.fixture(scope="session", autouse=True)
def _at_our_priority() -> Iterator[None]:
    # Verbs run in this process, in fixtures of a session too, and its priority is not theirs to lower for all tests.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("duckback.cli.backup.be_gentle", lambda _: None)
        yield


@pytest.fixture(autouse=True)
def _measured(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    # Measuring coverage doubles the time of a child process, and these start hundreds that run what others measure.
    if request.path.relative_to(request.config.rootpath).parts[1] in _NOT_MEASURED:
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # No configuration file of whoever runs the tests is found, and no terminal setting of theirs counts.
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-configuration"))
    # Beside other tests a run would pause most of the time.
    monkeypatch.setenv("DUCKBACK_LEAST_SHARE", "1")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty place."""
    return Place(tmp_path)


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place with one backup; not to be changed."""
    return stocked(tmp_path_factory.mktemp("stock"))


@pytest.fixture
def full(stock: Path, tmp_path: Path) -> Iterator[Place]:
    """A place of one's own with one backup of the small database."""
    yield from copies(stock, tmp_path)


@pytest.fixture(scope="session")
def history_stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place with a full and two incrementals of it; not to be changed."""
    root = stocked(tmp_path_factory.mktemp("history"))
    place = Place(root)
    for _ in range(2):
        place.change()
        place.run("backup", place.database).worked()
    return root


@pytest.fixture
def history(history_stock: Path, tmp_path: Path) -> Iterator[Place]:
    """A place of one's own with a full and two incrementals of it, with removed positions."""
    yield from copies(history_stock, tmp_path)
