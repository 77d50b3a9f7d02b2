"""A private nginx in front of the service: on loopback, in a temporary folder, over TLS."""

import os
import pwd
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path

from tests.support.programs import program

START_SECONDS = 10
AROUND = """
daemon off;
user {user};
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
  include /etc/nginx/mime.types;
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  {site}
}}
"""


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for 127.0.0.1."""

    file: Path
    key: Path

    @classmethod
    def made(cls, folder: Path) -> "Certificate":
        new = cls(folder / "certificate.pem", folder / "key.pem")
        command = [program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes"]
        command += ["-keyout", new.key, "-out", new.file, "-days", "1"]
        command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run(command, check=True, capture_output=True)
        return new

    @contextmanager
    def connected(
        self, port: int, source: str = "127.0.0.1", protocol: str = "http/1.1"
    ) -> Iterator[HTTPSConnection]:
        """Connect from that loopback address, trusting only this certificate."""
        context = ssl.create_default_context(cafile=str(self.file))
        context.set_alpn_protocols([protocol])
        with closing(
            HTTPSConnection(
                "127.0.0.1", port, timeout=15, context=context, source_address=(source, 0)
            )
        ) as connection:
            yield connection


def changed(text: str, changes: Mapping[str, str]) -> str:
    """Return the text with each key, which it must contain, replaced by its value."""
    for old, new in changes.items():
        assert old in text, f"{old!r} is no longer there"
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(site: str, folder: Path) -> Iterator[None]:
    """Run nginx until the end of the block.

    Args:
        site: the content of `http { }`: `server` blocks on free ports.
        folder: an empty folder for its settings, logs and temporary files.
    """
    binary = program("nginx")
    settings = folder / "nginx.conf"
    user = pwd.getpwuid(os.getuid()).pw_name
    settings.write_text(AROUND.format(user=user, folder=folder, site=site))
    command = [binary, "-c", settings, "-e", folder / "error.log"]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    process = subprocess.Popen(command)
    try:
        _wait_until_it_listens(process, folder)
        yield
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def _wait_until_it_listens(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    """nginx writes its process id when its sockets are open."""
    deadline = time.monotonic() + START_SECONDS
    while not (folder / "pid").exists() or not (folder / "pid").read_text():
        assert process.poll() is None, (folder / "error.log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)
