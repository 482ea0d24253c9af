"""Ports that nothing listens on."""

import socket


def free_ports(number: int) -> list[int]:
    """As many different ones of loopback as asked for."""
    sockets = [socket.socket() for _ in range(number)]
    for held in sockets:
        held.bind(("127.0.0.1", 0))
    ports = [held.getsockname()[1] for held in sockets]
    for held in sockets:
        held.close()
    return ports
