"""The recipe in docs/ledger.md, as an auditor runs it: without Duckback."""

import json
import os
import re
import subprocess
from pathlib import Path

from support.place import Place
from support.tigerbeetle import BINARY, TigerBeetleServer

import duckback

DOCUMENT = Path(duckback.__file__).parents[2] / "docs" / "ledger.md"


def recipe() -> str:
    (found,) = re.findall(r"test_auditor\.py runs this -->\n```sh\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return str(found)


def audit(manifest: Path, server: TigerBeetleServer, folder: Path) -> list[dict[str, str]]:
    """The transfers that the recipe prints."""
    folder.mkdir(exist_ok=True)
    command = folder / "tigerbeetle"
    if not command.exists():
        command.symlink_to(os.environ[BINARY])
    environment = {
        **os.environ,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "MANIFEST": str(manifest),
        "CLUSTER": "0",
        "ADDRESSES": server.address,
    }
    done = subprocess.run(["sh", "-c", recipe()], env=environment, capture_output=True, text=True, check=False)
    return [json.loads(text) for text in re.findall(r"\{.*?\n\}", done.stdout, re.DOTALL)]


def test_an_auditor_needs_the_repl_and_sha256sum_alone(place: Place, tigerbeetle_server: TigerBeetleServer) -> None:
    place.run("backup", place.database, "--tigerbeetle-addresses", tigerbeetle_server.address).worked()
    (manifest,) = place.manifests()
    by_id, by_digest = audit(manifest, tigerbeetle_server, place.root / "bin")
    assert by_id == by_digest
    assert by_id["amount"] == str(sum(path.stat().st_size for path in place.objects()))
    shown = place.run("ledger show", "latest", "--json").worked().json["transfer"]
    assert by_id["id"] == shown["id"]["decimal"]
    assert by_id["user_data_128"] == shown["user_data_128"]["decimal"]

    document = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(document | {"retention_until": "2000-01-01T00:00:00Z"}))
    assert audit(manifest, tigerbeetle_server, place.root / "bin") == [by_id]
