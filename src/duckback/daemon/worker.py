"""The process of one run: an order on standard input, its outcome on standard output, its log on standard error.

A run that dies, of memory or of a bug, takes nobody with it. It ends when its standard input does: with the daemon.
"""

import logging
import os
import signal
import sys
import threading
import time

from duckback import interrupts
from duckback.api import Duckback
from duckback.api.gentle import be_gentle
from duckback.config.load import validated
from duckback.daemon.claim import claimed
from duckback.daemon.order import Order
from duckback.daemon.outcome import Outcome
from duckback.daemon.tasks import carry_out
from duckback.errors import DuckbackError
from duckback.hooks import failures, has_been_told, stopped
from duckback.logs import bound, log_to, logger, redacted
from duckback.repository.layout import encode_name

_log = logger()


def main() -> None:
    """Carry out the order."""
    interrupts.answer()
    # The outcome's pipe is nobody else's, whatever is printed meanwhile.
    answer = os.dup(1)
    os.dup2(2, 1)
    order = Order.model_validate_json(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_daemon, args=(order.stop_within,), daemon=True).start()
    outcome = _carry_out(order)
    with os.fdopen(answer, "w", encoding="utf-8") as pipe:
        pipe.write(outcome.model_dump_json())
    # An orderly end would wait for threads that hooks have left behind.
    os._exit(0)


def _carry_out(order: Order) -> Outcome:
    options = validated(order.options)
    log_to(level=logging.INFO, log_format=options.log_format)
    be_gentle(options.niceness)
    started = time.monotonic()
    name = options.name or order.database.stem
    with bound(run_id=str(order.run_id), database=name):
        try:
            # Another daemon, or the run of a killed one that has not ended yet, may be at it.
            with claimed(options.state_dir / "running" / encode_name(name)):
                outcome = carry_out(order.task, Duckback(**options.model_dump()), order.database, name)
                return outcome.model_copy(update={"hook_failures": failures()})
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 -- the daemon is told of every error
            return _failed(error, time.monotonic() - started)


def _failed(error: BaseException, seconds: float) -> Outcome:
    if interrupts.have_come():
        told = stopped()
    elif isinstance(error, DuckbackError):
        told = error
    else:
        _log.exception("internal error", exc_info=error)
        told = DuckbackError(f"internal error: {error!r}", hint="This is a defect of Duckback: please report it.")
    notes = tuple(getattr(error, "__notes__", ()))
    return Outcome(
        ok=False,
        error=type(told).__name__,
        message=redacted(told.message),
        hint=told.hint,
        is_told=has_been_told(error),
        notices=tuple(map(redacted, notes)),
        seconds=seconds,
        hook_failures=failures(),
    )


def _end_with_the_daemon(seconds: float) -> None:
    # Not by way of sys.stdin, which an interpreter that ends cannot take from a thread.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(seconds)
    os._exit(1)


if __name__ == "__main__":
    main()
