"""A proxy before a Postgres cluster that counts how often a client waits for the server."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.postgres_cluster import SUPERUSER, Address


class RoundTrips:
    """Counts of a running proxy.

    Args:
        port: where it listens, on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.count = 0
        self._lock = threading.Lock()

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def forward(self, client: socket.socket, server: socket.socket) -> None:
        """Forward both ways. What a client sends after an answer is another round trip."""
        answered = threading.Event()
        answered.set()

        def answers() -> None:
            try:
                while data := server.recv(65536):
                    answered.set()
                    client.sendall(data)
            except OSError:
                pass
            client.close()

        threading.Thread(target=answers, daemon=True).start()
        try:
            while data := client.recv(65536):
                if answered.is_set():
                    answered.clear()
                    with self._lock:
                        self.count += 1
                server.sendall(data)
        except OSError:
            pass
        server.close()


@contextmanager
def counting_proxy(cluster: Address) -> Iterator[RoundTrips]:
    """Forward to the cluster from a free port."""
    listener = socket.create_server(("127.0.0.1", 0))
    trips = RoundTrips(listener.getsockname()[1])

    def accept() -> None:
        try:
            while True:
                client, _ = listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(cluster.folder / ".s.PGSQL.5432"))
                threading.Thread(target=trips.forward, args=(client, server), daemon=True).start()
        except OSError:  # closed
            pass

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield trips
    finally:
        listener.close()
