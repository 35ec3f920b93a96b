"""The file system of a file is told from the mounts as they lie over one another; network ones are refused."""

from pathlib import Path

import pytest

from duckback.errors import Unsupported
from duckback.source.image import filesystems
from duckback.source.image.filesystems import Mount, is_network, kind_of, parse_mounts, refuse_network

LINES = r"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:21 / /tmp rw,nosuid shared:2 master:3 - tmpfs tmpfs rw,size=9k
24 22 0:40 / /mnt/my\040data\134x rw - nfs4 server:/x rw
25 22 0:41 /@home /home rw - btrfs /dev/vdb rw,subvol=/@home
26 22 254:0 /srv /mnt/bound rw - ext4 /dev/vda rw
27 22 0:50 / /mnt/over rw - nfs4 server:/y rw
28 27 0:51 / /mnt/over rw - tmpfs tmpfs rw
""".strip().splitlines()


def kind(path: str, device: str) -> str:
    return kind_of(Path(path), device, parse_mounts(LINES))


def test_names_of_mount_points_are_unescaped_and_optional_fields_passed_over() -> None:
    mounts = list(parse_mounts(LINES))
    assert mounts[1] == Mount("0:21", "/tmp", "tmpfs")
    assert mounts[2] == Mount("0:40", "/mnt/my data\\x", "nfs4")


def test_the_mounts_of_this_machine_can_be_read() -> None:
    with Path("/proc/self/mountinfo").open() as lines:
        assert Path("/") in {Path(mount.point) for mount in parse_mounts(lines)}
    refuse_network(Path("/proc/self/mountinfo").parent)


@pytest.mark.parametrize(
    ("path", "device", "expected"),
    [
        ("/srv/a", "254:0", "ext4"),
        ("/tmp/a", "0:21", "tmpfs"),
        ("/tmpfile", "254:0", "ext4"),
        ("/mnt/my data\\x/a", "0:40", "nfs4"),
        ("/home/a", "0:99", "btrfs"),
        ("/mnt/bound/a", "254:0", "ext4"),
        ("/mnt/over/a", "0:51", "tmpfs"),
        ("/mnt/over/a", "0:52", "tmpfs"),
        ("/mnt/over/a", "0:50", "nfs4"),
    ],
)
def test_the_device_decides_then_the_deepest_and_last_mount(path: str, device: str, expected: str) -> None:
    assert kind(path, device) == expected


def test_a_file_that_no_mount_holds_is_of_no_known_type() -> None:
    assert kind_of(Path("/a"), "1:1", []) == ""


@pytest.mark.parametrize("name", ["ext4", "xfs", "btrfs", "zfs", "overlay", "tmpfs", ""])
def test_local_file_systems_are_fine(name: str) -> None:
    assert not is_network(name)


@pytest.mark.parametrize("name", ["nfs4", "cifs", "fuse.sshfs", "fuseblk", "9p", "ceph"])
def test_a_network_file_system_is_refused_by_its_type_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (path := tmp_path / "a.duckdb").touch()
    monkeypatch.setattr(filesystems, "kind_of", lambda *_: name)
    with pytest.raises(Unsupported, match=rf"a\.duckdb is on a network file system \({name}\)") as failure:
        refuse_network(path)
    assert "--allow-network-filesystem" in failure.value.hint
