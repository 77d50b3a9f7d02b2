"""The code in docs/frontends/ is the code in examples/, which tests/browser builds and uses."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs/frontends").glob("*.md"))
BLOCK = re.compile(r"^```\w+ (examples/\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN = {
    path: code for page in PAGES for path, code in BLOCK.findall(page.read_text(encoding="utf-8"))
}
ENTRIES = {"main.ts", "main.tsx", "schema.d.ts", "vite-env.d.ts"}
"""What starts an example, and what is generated."""


@pytest.mark.parametrize("path", SHOWN)
def test_the_page_shows_the_file_as_it_is(path: str) -> None:
    assert SHOWN[path] == (ROOT / path).read_text(encoding="utf-8")


def test_each_file_of_an_example_is_shown() -> None:
    files = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "examples").glob("*/src/*")
        if file.name not in ENTRIES
    }
    assert files <= set(SHOWN)
