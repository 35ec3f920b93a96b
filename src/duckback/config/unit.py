"""The systemd unit of the daemon."""

from datetime import timedelta
from pathlib import Path
from string import Template
from typing import Final

_KILLED_AFTER: Final = timedelta(seconds=30)
ENVIRONMENT_FILE: Final = "/etc/duckback/environment"
_UNIT: Final = Template("""\
# Install as /etc/systemd/system/duckback.service, then: systemctl daemon-reload; systemctl enable --now duckback
[Unit]
Description=Duckback: backups of DuckDB databases
Wants=network-online.target
After=network-online.target time-sync.target

[Service]
Type=exec
ExecStart=$executable daemon --config $config
# Must be able to read the databases, and to write to the state directory and a local repository.
User=$user
# Credentials (AWS_ACCESS_KEY_ID and so on), mode 0600. The unit starts without it.
EnvironmentFile=-$environment
Restart=on-failure
RestartSec=10s
# SIGTERM goes to the daemon alone, which ends its runs in order within daemon.stop_within, and kills the rest.
KillMode=mixed
TimeoutStopSec=$stop
# A run stands back by itself (niceness); the daemon does next to nothing.
NoNewPrivileges=yes
ProtectSystem=full
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
LockPersonality=yes
UMask=0077

[Install]
WantedBy=multi-user.target
""")


def unit(*, executable: Path, config: Path, user: str, stop_within: timedelta) -> str:
    """The text of a unit.

    Args:
        executable: `duckback`, absolute.
        config: the configuration file, absolute.
        user: who may read the databases.
        stop_within: as of the option; systemd waits a little longer.
    """
    stop = f"{(stop_within + _KILLED_AFTER).total_seconds():.0f}s"
    return _UNIT.substitute(
        executable=_quoted(executable), config=_quoted(config), environment=ENVIRONMENT_FILE, user=user, stop=stop
    )


def _quoted(path: Path) -> str:
    """As systemd reads it: a percent sign begins a specifier, a space a new word."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"' if any(letter.isspace() or letter in "\"'\\" for letter in text) else text
