"""Connections to hosts that the operator named, at addresses that he allowed.

Always true: an address is resolved once, checked, and then connected to, so that a name cannot point elsewhere in
between; an address of this machine or of a private network is one only where the operator said so.
"""

import ipaddress
import socket
from collections.abc import Sequence
from typing import Any

import httpcore


class CheckedNetwork(httpcore.NetworkBackend):
    """Connects only to addresses that are public or allowed."""

    def __init__(self, allowed: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> None:
        self._allowed = tuple(allowed)
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        for each in found:
            address = str(each[4][0])
            if not self._may(address):
                raise httpcore.ConnectError(f"{host} is at {address}, which is not allowed")
        return self._plain.connect_tcp(
            str(found[0][4][0]),
            port,
            timeout=timeout,
            local_address=local_address,
            socket_options=socket_options,
        )

    def _may(self, text: str) -> bool:
        address = ipaddress.ip_address(text.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        address = mapped or address
        if any(address in network for network in self._allowed if network.version == address.version):
            return True
        return address.is_global and not address.is_multicast
