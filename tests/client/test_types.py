"""authsvc.js as a package: its types, its size, and the files of `npm pack`."""

import gzip
import json
import subprocess
from pathlib import Path

import authsvc
from tests.support.gunicorn_server import ROOT

HERE = Path(__file__).parent
FOLDER = ROOT / "authsvc" / "static"
MODULE = FOLDER / "authsvc.js"
TSC = HERE / "node_modules" / ".bin" / "tsc"
MAX_BYTES = 4096


def test_the_module_is_typed_and_the_committed_types_are_generated_from_it(tmp_path: Path) -> None:
    made = run(TSC, "--project", HERE, "--outDir", tmp_path)
    assert made.returncode == 0, made.stdout
    assert (tmp_path / "authsvc.d.ts").read_text() == (FOLDER / "authsvc.d.ts").read_text()


def test_tsc_finds_a_type_error(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"type": "module"}')
    faulty = MODULE.read_text().replace('let token = "";', "let token = 0;")
    (tmp_path / "authsvc.js").write_text(faulty)
    checked = run(TSC, "--strict", "--checkJs", "--noEmit", tmp_path / "authsvc.js")
    assert checked.returncode != 0


def test_the_module_takes_at_most_4_kib_on_the_wire() -> None:
    assert len(gzip.compress(MODULE.read_bytes(), 9, mtime=0)) <= MAX_BYTES


def test_the_package_holds_the_module_and_its_types_and_has_the_services_version() -> None:
    packed = run("npm", "pack", "--dry-run", "--json", "--offline", cwd=FOLDER)
    assert packed.returncode == 0, packed.stderr
    (package,) = json.loads(packed.stdout)
    assert {file["path"] for file in package["files"]} == {
        "authsvc.js",
        "authsvc.d.ts",
        "package.json",
    }
    assert (package["name"], package["version"]) == ("authsvc", authsvc.__version__)


def test_the_package_is_imported_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "authsvc").symlink_to(FOLDER)
    page = tmp_path / "page.mjs"
    page.write_text('import { createAuth } from "authsvc"; console.log(typeof createAuth);')
    ran = run("node", "--preserve-symlinks", page)
    assert ran.stdout == "function\n", ran.stderr


def test_the_module_uses_no_storage_that_outlives_the_page() -> None:
    text = MODULE.read_text()
    for store in ("localStorage", "sessionStorage", "indexedDB", "caches", "document.cookie"):
        assert store not in text


def run(*command: str | Path, cwd: Path = HERE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)
