"""A real S3 server for tests: SeaweedFS on loopback ports of its own, encrypting, checking and conditional."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen
from uuid import uuid4

import boto3
from botocore.config import Config
from support.ports import is_free

from duckback.store.s3_options import S3Options

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

GRPC_OFFSET = 10_000
FIRST_PORT, LAST_PORT = 18_000, 22_000
"""With their gRPC twins all below 32,768, where Linux begins to take ports for outgoing connections."""
READY_SECONDS = 30
STOP_SECONDS = 5
REGION = "us-east-1"
IDENTITIES = {
    "admin": ("duckback-admin", "duckback-admin-secret", ["Admin", "Read", "Write", "List", "Tagging"]),
    "reader": ("duckback-reader", "duckback-reader-secret", ["Read", "List"]),
    "impostor": ("duckback-admin", "not-the-secret", []),
}
_KMS = {"default_provider": "local", "providers": {"local": {"type": "local", "enableOnDemandCreate": True}}}
# A bucket has volumes of its own, and as many as the disk has free gigabytes are too few for so many tests.
_VOLUMES = "-volume.max=1000"
_OFF = [
    _VOLUMES,
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-webdav=false",
    "-admin.ui=false",
    "-master.telemetry=false",
]


class Seaweed:
    """One server and its data, from `start` to `stop`; profiles "admin", "reader" and "impostor" (a wrong secret)."""

    def __init__(self, directory: Path, *, kms: bool = True) -> None:
        self.directory = directory
        self.port = 0
        self._kms = kms
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait until the server stores; tries other ports if somebody took one meanwhile.

        Raises:
            RuntimeError: there is no `weed`, or it does not get ready; never a reason to skip a test.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "s3.json").write_text(json.dumps(_server_config(kms=self._kms)))
        (self.directory / "credentials").write_text(_credentials())
        (self.directory / "config").write_text("")
        for _ in range(3):
            self._launch()
            if self._is_ready():
                return
            self.stop()
        log = (self.directory / "weed.log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"weed did not get ready:\n{log}")

    def _launch(self) -> None:
        ports = _free_ports(5)
        self.port = ports[0]
        data = self.directory / "data"
        data.mkdir(exist_ok=True)
        sockets = [f"-{name}.localSocket={self.directory / name}.sock" for name in ("filer", "s3")]
        names = ("s3", "master", "volume", "filer", "admin")
        with (self.directory / "weed.log").open("ab") as log:
            self._process = subprocess.Popen(
                [_weed(), "mini", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3.autoCreateBucket=false"]
                + [f"-s3.config={self.directory / 's3.json'}", *_OFF, *sockets]
                + [f"-{name}.port={port}" for name, port in zip(names, ports, strict=True)],
                env={**os.environ, "GOMEMLIMIT": "300MiB"},
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _is_ready(self) -> bool:
        assert self._process
        until = time.monotonic() + READY_SECONDS
        while self._process.poll() is None and time.monotonic() < until:
            if self._answers() and self._stores():
                return True
            time.sleep(0.05)
        return False

    def _answers(self) -> bool:
        with suppress(URLError, OSError):
            try:
                urlopen(self.endpoint, timeout=1).close()
            except HTTPError as refusal:
                refusal.close()
                return refusal.code == 403
        return False

    def _stores(self) -> bool:
        client = self.client()
        with suppress(client.exceptions.ClientError):
            client.put_object(Bucket=self.bucket(), Key="ready", Body=b"1")
            return True
        return False

    def stop(self) -> None:
        """End the process by its own id, politely first."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def client(self, identity: str = "admin") -> "S3Client":
        """A plain boto3 client, to look at what the driver did."""
        access, secret, _ = IDENTITIES[identity]
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            config=Config(retries={"total_max_attempts": 1, "mode": "standard"}, s3={"addressing_style": "path"}),
        )

    def bucket(self, *, lock: bool = False) -> str:
        """A new bucket, whose objects can be locked or not."""
        name = f"test-{uuid4().hex}"
        self.client().create_bucket(Bucket=name, ObjectLockEnabledForBucket=lock)
        return name

    def options(self, **changes: Any) -> S3Options:
        """Options of the driver for this server; needs `environment` to be set."""
        ours = {"endpoint_url": self.endpoint, "region": REGION, "profile": "admin", "addressing_style": "path"}
        return S3Options.model_validate({**ours, **changes})

    def environment(self, identity: str = "admin") -> Mapping[str, str]:
        """What makes boto3 (a subprocess's too) use this server's identities and nothing else of the machine."""
        access, secret, _ = IDENTITIES[identity]
        return {
            "AWS_SHARED_CREDENTIALS_FILE": str(self.directory / "credentials"),
            "AWS_CONFIG_FILE": str(self.directory / "config"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": access,
            "AWS_SECRET_ACCESS_KEY": secret,
        }


def _server_config(*, kms: bool) -> dict[str, Any]:
    identities = [
        {"name": name, "credentials": [{"accessKey": access, "secretKey": secret}], "actions": actions}
        for name, (access, secret, actions) in IDENTITIES.items()
        if actions
    ]
    return {"identities": identities, **({"kms": _KMS} if kms else {})}


def _credentials() -> str:
    return "\n".join(
        f"[{name}]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n"
        for name, (access, secret, _) in IDENTITIES.items()
    )


def _weed() -> str:
    weed = Path(sys.executable).parent / "weed"
    if not weed.exists():
        raise RuntimeError("weed is not installed in this environment; it comes with the development dependencies")
    return str(weed)


def _free_ports(count: int) -> list[int]:
    """Ports that are free together with their gRPC twins; tried in random order, as other workers do the same."""
    candidates = random.sample(range(FIRST_PORT, LAST_PORT), LAST_PORT - FIRST_PORT)
    free = (port for port in candidates if is_free(port) and is_free(port + GRPC_OFFSET))
    return [next(free) for _ in range(count)]
