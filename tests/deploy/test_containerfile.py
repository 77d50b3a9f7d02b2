"""docs/deploy/Containerfile, as far as it can be tested without running a container."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.conftest import DEPLOY, START_SECONDS
from tests.deploy.server import USUAL_PATH, as_user
from tests.support.running_service import ROOT, Service, free_port, wait_until_it_answers

Instruction = tuple[str, str]


def instructions() -> list[Instruction]:
    """Return each instruction: its name and the rest of its line."""
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines)]


def last_stage() -> list[Instruction]:
    every = instructions()
    begins = max(number for number, (name, _) in enumerate(every) if name == "FROM")
    return every[begins:]


def values(name: str, among: list[Instruction]) -> list[str]:
    return [value for other, value in among if other == name]


def test_every_copied_source_exists_and_is_named() -> None:
    copies = [shlex.split(value) for value in values("COPY", instructions())]
    sources = [word for words in copies if "--from" not in words[0] for word in words[:-1]]
    assert sources == ["requirements.txt", "wsgi.py", "authsvc"]  # instance/ contains secrets
    assert all((ROOT / source).exists() for source in sources)


def test_the_base_image_has_a_version() -> None:
    for value in values("FROM", instructions()):
        assert re.fullmatch(r"python:3\.\d+-slim-\w+( AS \w+)?", value)


def test_it_does_not_run_as_root() -> None:
    name, value = [one for one in last_stage() if one[0] in ("USER", "RUN", "COPY")][-1]
    assert name == "USER"
    assert all(int(number) > 0 for number in value.split(":"))


def test_packages_are_installed_with_hashes() -> None:
    (install,) = [run for run in values("RUN", instructions()) if "pip install" in run]
    assert "--require-hashes" in install
    assert "--only-binary :all:" in install


@dataclass(frozen=True)
class Image:
    """The last stage, built in a folder instead of in `/`."""

    folder: Path
    port: int

    def here(self, text: str) -> str:
        """Return the text with the image's paths and port replaced by those of this folder."""
        text = re.sub(r"(?<![\w/])/(venv|app)\b", rf"{self.folder}/\1", text)
        return text.replace("0.0.0.0:8000", "127.0.0.1:8000").replace("8000", str(self.port))

    def words(self, name: str) -> list[str]:
        (value,) = values(name, last_stage())
        return list(json.loads(self.here(value[value.index("[") :])))

    @property
    def variables(self) -> dict[str, str]:
        (value,) = values("ENV", last_stage())
        pairs = dict(pair.split("=", 1) for pair in self.here(value).split())
        return pairs | {"PATH": pairs["PATH"].replace("$PATH", USUAL_PATH)}

    def start(self, words: list[str]) -> "subprocess.Popen[bytes]":
        """Start these words as the image's user, in its folder and with its variables."""
        (user,) = values("USER", last_stage())
        (folder,) = values("WORKDIR", last_stage())
        with (self.folder / "output").open("ab") as log:
            return subprocess.Popen(
                [*as_user(*user.split(":")), *words],
                cwd=self.here(folder),
                env=self.variables,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def ends(self, words: list[str]) -> int:
        return self.start(words).wait(timeout=START_SECONDS)

    def files(self) -> list[Path]:
        app = self.folder / "app"
        return sorted(path for path in app.rglob("*") if app / "instance" not in path.parents)


@pytest.fixture
def image() -> Iterator[Image]:
    if os.getuid() != 0:
        pytest.skip("only root can give a folder to the user of the image")
    made = Image(Path(tempfile.mkdtemp(prefix="authsvc-image-")), free_port())
    made.folder.chmod(0o755)
    (made.folder / "venv").symlink_to(sys.prefix)
    (made.folder / "app").mkdir()
    for name, value in last_stage():
        if name == "RUN":
            subprocess.run(["sh", "-c", made.here(value)], env=made.variables, check=True)
        elif name == "COPY" and "--from" not in value:
            source, target = map(Path, made.here(value).split())
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / source, target, ignore=ignored)
            else:
                shutil.copy(ROOT / source, target)
    yield made
    shutil.rmtree(made.folder)


def test_it_serves_without_writing_outside_its_volume(image: Image) -> None:
    before = image.files()
    entry, command, probe = map(image.words, ("ENTRYPOINT", "CMD", "HEALTHCHECK"))
    assert image.ends([*entry, "init"]) == 0
    process = image.start([*entry, *command])
    try:
        service = Service(process, image.port, image.folder / "output")
        wait_until_it_answers(service, START_SECONDS)
        assert image.ends(probe) == 0
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)
    assert process.returncode == 0
    assert image.ends(probe) != 0
    assert image.files() == before
    instance = image.folder / "app" / "instance"
    assert {"authsvc.env", "authsvc.db"} <= {path.name for path in instance.iterdir()}
