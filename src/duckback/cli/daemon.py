"""duckback daemon: protect every database of the configuration file, until SIGTERM."""

import logging
import os

from duckback.cli.options import Call, with_options
from duckback.config.load import load_all
from duckback.errors import UsageError
from duckback.logs import log_to


@with_options
def daemon(call: Call) -> None:
    """Back up, verify and test-restore every [[database]] of the configuration file when it is due."""
    from duckback.daemon.processes import Protected  # noqa: PLC0415 -- other verbs need neither it nor its metrics
    from duckback.daemon.service import Daemon  # noqa: PLC0415 -- as above

    if call.as_json:
        raise UsageError("a daemon prints no document", hint="Give --log-format json for its log.")
    found = load_all(call.flags, os.environ, file=call.loaded.file)
    level = logging.DEBUG if call.verbose else logging.INFO
    log_to(level=level, log_format=found[0].options.log_format)
    Daemon([Protected(one.database, one.options) for one in found if one.database is not None]).run()
