"""A connection that breaks: it passes bytes on and is cut after so many of them."""

from __future__ import annotations

import contextlib
import socket
import threading


class CuttingProxy:
    """Listens on this computer and passes everything on to a port of it.

    Attributes:
        limit: bytes from the server after which a connection is reset; None for never.
        connections: how many were made.
    """

    def __init__(self, port: int) -> None:
        self.limit: int | None = None
        self.connections = 0
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept)]
        self._open: list[socket.socket] = []
        self._threads[0].start()

    def close(self) -> None:
        """Cut everything and wait for the threads."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def cut(self) -> None:
        """Cut every connection."""
        for connection in self._open:
            _end(connection)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            server = socket.create_connection(("127.0.0.1", self._target))
            self._open += [client, server]
            for source, target, counted in ((client, server, False), (server, client, True)):
                thread = threading.Thread(target=self._pass_on, args=(source, target, counted))
                self._threads.append(thread)
                thread.start()

    def _pass_on(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(16_384):
                passed += len(data)
                if counted and self.limit is not None and passed > self.limit:
                    break
                target.sendall(data)
        _end(source)
        _end(target)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
