"""Which file system a file is on."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from duckback.errors import Unsupported

_NETWORK = {
    "9p", "afs", "beegfs", "ceph", "cifs", "davfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4",
    "ocfs2", "orangefs", "panfs", "prl_fs", "pvfs2", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs", "wekafs",
}  # fmt: skip
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Mount:
    """One line of /proc/self/mountinfo (proc_pid_mountinfo(5)): the device as "major:minor", where, which type."""

    device: str
    point: str
    kind: str


def refuse_network(database: Path) -> None:
    """Refuse what promises no coherence between a writer elsewhere and a reader here.

    Raises:
        Unsupported: the file is on a network or FUSE file system.
    """
    path = database.resolve()
    device = path.stat().st_dev
    with Path("/proc/self/mountinfo").open(encoding="utf-8", errors="surrogateescape") as lines:
        kind = kind_of(path, f"{os.major(device)}:{os.minor(device)}", parse_mounts(lines))
    if is_network(kind):
        raise Unsupported(
            f"{database} is on a network file system ({kind}), where a reader may see bytes out of order",
            hint="Back it up on the machine that holds the disk; or, if its writer runs on this very machine, give "
            "--allow-network-filesystem.",
        )


def parse_mounts(lines: Iterable[str]) -> Iterator[Mount]:
    """The mounts, in the order of their mounting."""
    for line in lines:
        before, _, after = line.partition(" - ")
        _, _, device, _, point, *_ = before.split(" ")
        yield Mount(device, _OCTAL.sub(lambda code: chr(int(code[1], 8)), point), after.split(" ")[0])


def kind_of(path: Path, device: str, mounts: Iterable[Mount]) -> str:
    """The type of the file system that holds an absolute path.

    The device tells; where its mount has another one (btrfs's subvolumes), the last of the longest mount points does.
    """
    above = [
        (len(mount.point), number, mount) for number, mount in enumerate(mounts) if path.is_relative_to(mount.point)
    ]
    same = [found for found in above if found[2].device == device]
    return max(same or above, key=lambda found: found[:2])[2].kind if above else ""


def is_network(kind: str) -> bool:
    """Whether a file system of that type is, or may be, on another machine."""
    return kind in _NETWORK or kind.startswith("fuse")
