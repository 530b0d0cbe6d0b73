"""A port for a server that starts later, and perhaps again."""

import socket


class ReservedPort:
    """A port that the system gives to nobody else while this lives.

    Bound and never listened on: a server that reuses addresses, as servers do, may bind and listen beside that, while
    whoever asks for any port is given another.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]
