"""docs/five-minutes.md does what it says, command by command, with the wheel installed and no source tree."""

import os
import subprocess
from pathlib import Path

import pytest
from support.pages import blocks
from support.ports import free_port
from support.wheels import build, installed


def commands() -> list[str]:
    """What is typed in its console blocks."""
    lines = [line for block in blocks("five-minutes.md", "console") for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines)
    return [line.removeprefix("$ ") for line in lines]


@pytest.mark.timeout(400)
def test_the_document_runs_as_it_stands(tmp_path: Path) -> None:
    _, wheel = build(tmp_path / "build")
    executables = installed(wheel, tmp_path / "environment")
    # `set -m`, as in a terminal: %1 is the daemon.
    script = [
        "set -emo pipefail",
        "trap 'kill %1 2>/dev/null || true' EXIT",
        'python -c "import duckback; print(duckback.__file__)"',
    ]
    place = tmp_path / "place"
    place.mkdir()
    done = subprocess.run(
        ["bash", "-c", "\n".join([*script, *commands()]).replace("9817", str(free_port()))],
        cwd=place,
        env={
            **os.environ,
            "PATH": f"{executables}:{os.environ['PATH']}",
            "DUCKBACK_THREADS": "1",
            "DUCKBACK_NICENESS": "0",
        },
        check=False,
        capture_output=True,
        text=True,
    )
    log = place / "daemon.log"
    told = f"{done.stdout}\n{done.stderr}\n{log.read_text() if log.exists() else ''}"
    assert done.returncode == 0, told
    assert Path(done.stdout.splitlines()[0]).is_relative_to(tmp_path / "environment")
    assert "exit code 2" in done.stdout, told
    assert "DUCKBACK OK - all is well" in done.stdout, told
    assert "(100010,)" in done.stdout, told
    assert '"status": "ok"' in done.stdout, told
    assert "daemon stopped" in told
    assert {"completed", "verification", "recovery"} <= set(done.stdout.split())
