"""Issue 14, number 8: variables that Kubernetes sets for Services named authsvc and authsvc-…."""

from pathlib import Path

import pytest

from tests.settings.test_settings import faults, load

OF_A_SERVICE = {
    "service_host": "10.0.0.11",
    "service_port": "8000",
    "service_port_http": "8000",
    "port": "tcp://10.0.0.11:8000",
    "port_8000_tcp": "tcp://10.0.0.11:8000",
    "port_8000_tcp_proto": "tcp",
    "port_8000_tcp_port": "8000",
    "port_8000_tcp_addr": "10.0.0.11",
    "port_53_udp": "udp://[fd00::11]:53",
    "port_53_udp_proto": "udp",
    "port_53_udp_addr": "fd00::11",
}


@pytest.mark.parametrize("service", ["", "db_", "db_replica_", "2_"])
def test_the_variables_of_services_are_ignored(instance: Path, service: str) -> None:
    variables = {f"{service}{name}": value for name, value in OF_A_SERVICE.items()}
    assert load(instance, **variables) == load(instance)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "8000"),
        ("port", "tcp://x"),
        ("port", "http://10.0.0.11:8000"),
        ("port_8000", "tcp://10.0.0.11:8000"),
        ("port_8000_http", "tcp://10.0.0.11:8000"),
        ("service_host", "auth.example.com"),
        ("service_port", "tcp"),
        ("service_hosts", "10.0.0.11"),
        ("db_port_5432_tcp_proto", "postgresql"),
        ("db_port_5432_tcp_port", "many"),
        ("db_port_5432_tcp_addr", "db"),
        ("database_urls", "sqlite:////x/y.db"),
    ],
)
def test_another_name_or_value_is_refused_as_a_misspelled_setting(
    instance: Path, name: str, value: str
) -> None:
    assert faults(instance, **{name: value}) == [
        f"AUTHSVC_{name.upper()} is not a setting: correct the name or unset it"
    ]


def test_they_are_refused_in_the_env_file_which_kubernetes_does_not_write(instance: Path) -> None:
    (instance / "authsvc.env").write_text("AUTHSVC_PORT=tcp://10.0.0.11:8000\n")
    assert faults(instance) == ["AUTHSVC_PORT is not a setting: correct the name or unset it"]
