"""What a host that somebody wrote into a setting means."""

from __future__ import annotations

import contextlib
import socket
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address


def is_every_address(host: str) -> bool:
    """Whether it stands for every address of this machine, such as ``0.0.0.0``."""
    address = _address(host)
    return address is not None and address.is_unspecified


def is_loopback(host: str) -> bool:
    """Whether what is sent there never leaves this machine."""
    address = _address(host)
    return host.lower() == "localhost" or (address is not None and address.is_loopback)


@cache
def _address(host: str) -> IPv4Address | IPv6Address | None:
    with contextlib.suppress(OSError, UnicodeError):
        # Short forms that systems read as addresses, such as 0.
        host = socket.inet_ntoa(socket.inet_aton(host))
    try:
        address = ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
