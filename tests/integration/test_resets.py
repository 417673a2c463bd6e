"""A server that resets connections as they are made, as an overloaded balancer does."""

import socket
import struct
import subprocess
import sys
from ast import literal_eval
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from tests.servers.resetting import ASKERS, QUESTIONS

RESET = struct.pack("ii", 1, 0)


@contextmanager
def resetting() -> Iterator[int]:
    """The port of a server that accepts, and resets at once."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            connection.close()

    thread = Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_connections_that_are_reset_as_they_are_made_end_exchanges_and_not_the_process() -> None:
    with resetting() as port:
        command = (sys.executable, "-m", "tests.servers.resetting", str(port))
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    heard = literal_eval(ran.stdout)
    assert heard.keys() <= {"unreachable", "tls"}
    assert sum(heard.values()) == ASKERS * QUESTIONS
