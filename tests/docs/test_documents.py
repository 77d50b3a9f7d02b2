"""All documents together: what they name exists, and they install nothing from a registry."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.running_service import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
ROOMS = ("authsvc", "tests", "bench", "docs")
PATH = re.compile(rf"(?<![\w./-])(?:{'|'.join(ROOMS)})/[\w./-]*\w/?")
CODE = re.compile(r"`(\w[\w./-]*\.py)\b")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(#[\w-]+)?\)")
MADE_LATER = {"authsvc/static/authsvc-0.1.0.tgz"}
"""Files that a command in a document creates."""
MODULES = {"authsvc/binding"}
"""Names by which a page imports from the npm package."""
UNPUBLISHED = re.compile(
    r"""pip\ install\ ['"]?authsvc       # it is on no registry
    | (?:npm\ (?:install|i|add)|yarn\ add|pnpm\ add)\ authsvc
    | \bv0\.1\.0                        # there is no such tag""",
    re.VERBOSE,
)
TEXTS = {
    ".md",
    ".py",
    ".js",
    ".ts",
    ".mjs",
    ".html",
    ".json",
    ".cfg",
    ".toml",
    ".service",
    ".conf",
    "",
}


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def files() -> frozenset[str]:
    """Return every file of the rooms and of the top level, relative to the top level."""
    below = (path for room in ROOMS for path in (ROOT / room).rglob("*"))
    every = (*ROOT.iterdir(), *below)
    return frozenset(ids(path) for path in every if path.is_file() and not ignored(path))


def ignored(path: Path) -> bool:
    return not {"node_modules", "__pycache__", ".venv"}.isdisjoint(path.parts)


def is_there(name: str) -> bool:
    """Whether a whole path exists, or a file whose path ends so: `auth/login.py`."""
    return (ROOT / name).exists() or any(file.endswith(f"/{name}") for file in files())


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids)
def test_each_path_in_a_document_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = {*PATH.findall(text), *CODE.findall(text)} - MADE_LATER - MODULES
    assert sorted(name for name in named if not is_there(name)) == []


@pytest.mark.parametrize("name", ["authsvc/guard/headers.py", "statements.py", "guard/facts.py"])
def test_a_path_that_is_gone_would_be_found(name: str) -> None:
    assert {*PATH.findall(f"see `{name}`"), *CODE.findall(f"see `{name}`")} == {name}
    assert not is_there(name)


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids)
def test_each_link_in_a_document_leads_somewhere(document: Path) -> None:
    for name, anchor in LINK.findall(document.read_text(encoding="utf-8")):
        target = document.parent / name if name else document
        assert target.exists(), name
        if anchor:
            assert anchor.removeprefix("#") in set(anchors(target)), name + anchor


def anchors(document: Path) -> Iterator[str]:
    """Yield the anchors that a Markdown renderer gives to the headings."""
    for heading in re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE):
        yield re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_the_readme_names_each_room() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rooms = {ids(path.parent) for path in (ROOT / "authsvc").glob("*/__init__.py")}
    assert sorted(room for room in rooms if f"`{room}/`" not in readme) == []


def test_nothing_says_that_authsvc_is_on_a_registry_or_has_a_tag() -> None:
    texts = [name for name in files() if Path(name).suffix in TEXTS]
    said = {name: UNPUBLISHED.findall((ROOT / name).read_text(errors="replace")) for name in texts}
    assert {name: phrases for name, phrases in said.items() if phrases} == {}


def test_npm_refuses_to_publish_the_module() -> None:
    package = json.loads((ROOT / "authsvc" / "static" / "package.json").read_text())
    assert package["private"] is True
