"""Ctrl-C and SIGTERM at any moment: exit 130, nothing left behind, nothing half-done to be seen."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from support.place import Place

SEED = 20261123
MOMENTS = 6
SIGNALS = [signal.SIGINT, signal.SIGTERM]


def answers_in_order(pid: int) -> bool:
    """Whether the process has set its own handler of SIGTERM, which it does before anything else of ours."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True
    caught = next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), "0")
    return bool(int(caught, 16) & 1 << (signal.SIGTERM - 1))


def interrupted(place: Place, sent: signal.Signals, moment: float, verb: str, *arguments: object) -> tuple[int, str]:
    """Send the signal that many seconds after the process can answer it; returns exit code and standard error."""
    child = subprocess.Popen(
        place.command(verb, *arguments), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=place.root
    )
    try:
        while child.poll() is None and not answers_in_order(child.pid):
            time.sleep(0.001)
        time.sleep(moment)
        if child.poll() is None:
            os.kill(child.pid, sent)
        _, err = child.communicate(timeout=60)
    finally:
        child.kill()
        child.wait()
    return child.returncode, err


def moments(longest: float, sent: signal.Signals) -> list[float]:
    chance = random.Random(SEED + sent)
    drawn = [round(chance.uniform(0, longest), 4) for _ in range(MOMENTS)]
    print(f"seed {SEED + sent}: {drawn}")
    return drawn


@pytest.mark.parametrize(("sent", "scope"), [(signal.SIGINT, "--full"), (signal.SIGTERM, "--incremental")], ids=str)
def test_interrupted_backup_leaves_no_trace_and_the_next_one_works(
    full: Place, sent: signal.Signals, scope: str
) -> None:
    codes = []
    for moment in moments(0.9, sent):
        before = full.backup_ids()
        full.change()
        code, err = interrupted(full, sent, moment, "backup", full.database, scope)
        codes.append(code)
        assert code in {0, 130}, (moment, code, err)
        assert "Traceback" not in err, err
        assert code == 0 or "duckback: interrupted" in err
        assert full.staged() == [], moment
        assert len(full.backup_ids()) - len(before) in ({1} if code == 0 else {0, 1})
    assert 130 in codes
    full.run("verify").worked()
    full.run("backup", full.database).worked()
    full.run("restore", full.target).worked()
    assert full.restored_is_equal()


@pytest.mark.parametrize("sent", SIGNALS, ids=lambda sent: sent.name)
def test_interrupted_restore_leaves_the_target_untouched_or_complete(full: Place, sent: signal.Signals) -> None:
    codes = []
    for number, moment in enumerate(moments(1.3, sent)):
        force = number % 2 == 1
        if force:
            full.target.write_bytes(b"old")
        code, err = interrupted(full, sent, moment, "restore", full.target, *(["--force"] if force else []))
        codes.append(code)
        assert code in {0, 130}, (moment, code, err)
        assert "Traceback" not in err, err
        if full.target.exists() and not (force and full.target.read_bytes() == b"old"):
            assert full.restored_is_equal()
        else:
            assert code == 130
            assert full.target.exists() == force
        full.target.unlink(missing_ok=True)
        assert [name for name in full.beside_target() if ".before-" not in name or "moving" in name] == [], moment
        assert full.staged() == [], moment
    assert 130 in codes
    full.run("restore", full.target).worked()
    assert full.restored_is_equal()


def test_interrupt_in_the_export_is_a_failed_run_on_record(full: Place) -> None:
    child = subprocess.Popen(
        full.command("backup", full.database, "--full"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=full.root,
    )
    while child.poll() is None and not any((run / "parquet").exists() for run in full.staged()):
        time.sleep(0.001)
    child.send_signal(signal.SIGINT)
    assert child.wait(60) == 130
    assert len(full.backup_ids()) == 1
    assert full.messages() == ["KeyboardInterrupt"]


def test_two_interrupts_in_a_row_are_answered_like_one(full: Place) -> None:
    child = subprocess.Popen(
        full.command("backup", full.database), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=full.root
    )
    while child.poll() is None and not full.staged():
        time.sleep(0.001)
    child.send_signal(signal.SIGINT)
    time.sleep(0.002)
    child.send_signal(signal.SIGTERM)
    assert child.wait(60) == 130
    assert full.staged() == []
    assert len(full.backup_ids()) == 1
