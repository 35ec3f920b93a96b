"""A real TigerBeetle for tests: one that is named in the environment, or one started from a binary that is."""

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

from support.ports import is_free

BINARY = "DUCKBACK_TEST_TIGERBEETLE_BIN"
ADDRESSES = "DUCKBACK_TEST_TIGERBEETLE_ADDRESSES"
CLUSTER = 0
NOT_RUN = f"needs a real TigerBeetle: set {BINARY} (a server binary) or {ADDRESSES} (of a cluster with id 0)"
NOT_OURS = f"needs a TigerBeetle that it may stop: set {BINARY} (a server binary)"
READY_SECONDS = 30


def is_there() -> bool:
    """Whether the environment names a TigerBeetle."""
    return bool(os.environ.get(BINARY) or os.environ.get(ADDRESSES))


def summary() -> str:
    """What the end of a test run says about it."""
    if os.environ.get(BINARY):
        return f"TigerBeetle: the ledger's tests run against {os.environ[BINARY]}"
    if os.environ.get(ADDRESSES):
        return f"TigerBeetle: the ledger's tests run against {os.environ[ADDRESSES]}, those that stop a server do not"
    return f"TigerBeetle: NOT RUN against a real server, only against a double. It {NOT_RUN}"


class TigerBeetleServer:
    """One replica on loopback with its data, from `start` to `remove`."""

    def __init__(self, binary: str, directory: Path, cluster: int = CLUSTER) -> None:
        self._binary = binary
        self._file = directory / "0_0.tigerbeetle"
        self._log = directory / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = next(port for port in random.sample(range(23_000, 27_000), 4_000) if is_free(port))
        options = [f"--cluster={cluster}", "--replica=0", "--replica-count=1", "--development", str(self._file)]
        subprocess.run([binary, "format", *options], check=True, capture_output=True)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait until it listens.

        Raises:
            RuntimeError: it does not; never a reason to skip a test.
        """
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [self._binary, "start", f"--addresses={self.address}", "--development", str(self._file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until = time.monotonic() + READY_SECONDS
        while b"listening on" not in self._log.read_bytes():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"TigerBeetle did not get ready:\n{self._log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)

    def pause(self) -> None:
        """Keep every connection, and answer nothing."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Stop it, and free its gigabyte."""
        self.stop()
        shutil.rmtree(self._file.parent)
