"""A deployment behind docs/deploy/nginx.conf, where the page answers unknown paths."""

from pathlib import Path

from tests.doctor.conftest import ALICE, PAGE, Doctor, failing, rows_of
from tests.support.nginx_server import changed, nginx
from tests.support.running_service import ROOT, Service, free_port

CERTIFICATES = "/etc/letsencrypt/live/app.example.com"


def test_a_right_deployment_behind_our_nginx_conf_passes(
    deployed_service: Service, patient_doctor: Doctor, certificate: Path, tmp_path: Path
) -> None:
    (page := tmp_path / "page").mkdir()
    (page / "index.html").write_text("<!doctype html><title>The page</title>")
    (own := tmp_path / "nginx").mkdir()
    port = free_port()
    changes = {
        "listen [::]:80;": "",
        "listen [::]:443 ssl http2;": "",
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
        "127.0.0.1:8000": f"127.0.0.1:{deployed_service.port}",
        "Host $server_name;": f"Host localhost:{port};",
        f"{CERTIFICATES}/fullchain.pem": str(certificate),
        f"{CERTIFICATES}/privkey.pem": str(certificate),
        "/srv/app": str(page),
    }
    site = changed((ROOT / "docs" / "deploy" / "nginx.conf").read_text(), changes)
    words = ("--json", "--email", ALICE["email"], "--origin", PAGE)
    with nginx(site, own):
        result = patient_doctor(f"https://localhost:{port}", *words)
    assert failing(result) == {}
    assert rows_of(result)["errors"]["verdict"] == "ok"
    assert result.exit_code == 0
