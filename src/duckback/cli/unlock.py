"""duckback unlock: end the leases of processes that are no longer there."""

from duckback.cli.list import lease_record
from duckback.cli.options import Call, with_options
from duckback.cli.output import print_document


@with_options
def unlock(call: Call) -> None:
    """End the leases of --name, or of every database: of processes that died on another machine.

    Whoever is still at work loses nothing but its claim to be alone: it finishes, or says that it lost its lease.
    """
    found = [lease_record(name, lease) for name, lease in call.duckback().unlock()]
    if call.as_json:
        print_document("unlock", leases=found)
        return
    for one in found:
        print(f"ended: {one['kind']} of {one['name']} by process {one['pid']} on {one['host']}")
    if not found:
        print("there are no leases")
