"""GET /healthz and /readyz."""

from pathlib import Path

from flask import Flask

from authsvc.database import schema
from tests.conftest import MakeApp
from tests.support.responses import assert_problem, away


def test_a_running_service_is_healthy_and_ready(app: Flask) -> None:
    for path in ("/healthz", "/readyz"):
        answer = app.test_client().get(path)
        assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_a_service_without_its_database_is_healthy_but_not_ready(
    make_app: MakeApp, tmp_path: Path
) -> None:
    file = tmp_path / "authsvc.db"
    schema.upgrade(f"sqlite:///{file}")
    app = make_app(database_url=f"sqlite:///{file}")
    client = app.test_client()
    with away(app, file):
        assert client.get("/healthz").status_code == 200
        answer = client.get("/readyz")
        assert_problem(answer, 503, "service_unavailable")
        assert answer.headers["Retry-After"] == "2"
    assert client.get("/readyz").status_code == 200
