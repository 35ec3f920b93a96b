"""docs/five-minutes.md does what it says, command by command."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.ports import free_port

import duckback

DOCUMENT = Path(duckback.__file__).parents[2] / "docs" / "five-minutes.md"


def commands() -> list[str]:
    """What is typed in its console blocks."""
    blocks = re.findall(r"^```console\n(.*?)^```", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines)
    return [line.removeprefix("$ ") for line in lines]


@pytest.mark.timeout(400)
def test_the_document_runs_as_it_stands(tmp_path: Path) -> None:
    # `set -m`, as in a terminal: %1 is the daemon.
    script = "\n".join(["set -emo pipefail", "trap 'kill %1 2>/dev/null || true' EXIT", *commands()])
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script.replace("9817", str(free_port()))],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "DUCKBACK_THREADS": "1", "DUCKBACK_NICENESS": "0"},
        check=False,
        capture_output=True,
        text=True,
    )
    log = tmp_path / "daemon.log"
    told = f"{done.stdout}\n{done.stderr}\n{log.read_text() if log.exists() else ''}"
    assert done.returncode == 0, told
    assert "exit code 2" in done.stdout, told
    assert "DUCKBACK OK - all is well" in done.stdout, told
    assert "(100010,)" in done.stdout, told
    assert '"status": "ok"' in done.stdout, told
    assert "daemon stopped" in told
    assert {"completed", "verification", "recovery"} <= set(done.stdout.split())
