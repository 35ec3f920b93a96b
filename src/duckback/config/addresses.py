"""Addresses of servers that take no host names."""

from ipaddress import ip_address
from typing import Final

_MOST: Final = 6
_LAST_PORT: Final = 65_535


def parse_addresses(value: object) -> object:
    """`127.0.0.1:3000,[::1]:3001`, or a list of such, as a tuple; what is neither is returned as it is.

    Raises:
        ValueError: one is not an IP address with a port, or there are more than six.
    """
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list | tuple):
        return value
    addresses = tuple(text for one in value if (text := str(one).strip()))
    if len(addresses) > _MOST:
        raise ValueError(f"{len(addresses)} addresses, and a cluster has at most {_MOST} replicas")
    for address in addresses:
        _check(address)
    return addresses


def _check(address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        ip_address(host.removeprefix("[").removesuffix("]"))
        is_port = port.isascii() and port.isdigit() and 0 < int(port) <= _LAST_PORT
    except ValueError:
        is_port = False
    if not is_port:
        raise ValueError(f"{address!r} is not an IP address with a port, such as 127.0.0.1:3000")
