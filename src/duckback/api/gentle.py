"""Standing back for the application that shares the machine."""

import os


def be_gentle(niceness: int) -> None:
    """Lower the priority of this process and of those that it starts; never raises it.

    Linux lowers the priority of its reads and writes with it, where the disk's scheduler knows priorities
    (ioprio_set(2): "derived from the process's nice value").

    Args:
        niceness: 0 to 19; 19 stands back the most.
    """
    os.nice(max(niceness - os.nice(0), 0))
