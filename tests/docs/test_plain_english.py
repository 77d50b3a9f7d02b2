"""What a person reads is written in plain English: these words and phrases are not used."""

import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.support.running_service import ROOT

PHRASES = {
    "archaic pronouns": r"\b(whoever|whom|whomever|whosoever|lest|thereof|hereby|therein)\b",
    "nobody and somebody": (r"(?<![\"'=:])\b(nobody|somebody|everybody)('s|s)?\b(?![\"'@{\d])"),
    "is no": r"(?<!there )\b(is|are|was|were) no (?!longer\b|more\b)[a-z]+\b",
    "are none": r"(?<!there )\b(is|are|was|were) (?-i:none)\b",
    "but for": r"\bbut for\b",
    "things that bear and hear": r"\b(bears?|bore|hears? of)\b",
    "is told": r"\b(is|are|was|were|get|gets) told\b",
    "hot ways": r"\bhot ways?\b",
    "mend": r"\bmend(s|ed|ing)?\b",
    "of old": r"\bof old\b",
    "as it must be": r"\bas (it|they) must be\b",
    "cannot be run with": r"\bcannot be run with\b",
    "forgotten first": r"\bforgotten first\b",
    "come along": r"\b(come|comes|came|coming) along\b",
    "let in": r"\b(is|are|was|were) let (in|through)\b",
    "those who": r"\bthose who\b",
}
TEXT = (
    ".py",
    ".md",
    ".txt",
    ".js",
    ".mjs",
    ".ts",
    ".html",
    ".css",
    ".cfg",
    ".toml",
    ".service",
    ".conf",
)
EXCEPT = {"tests/docs/test_plain_english.py"}


def lines() -> Iterator[tuple[str, int, str]]:
    """Yield each line of each text file in the repository, with its file and number."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    for name in tracked:
        if name.endswith((*TEXT, "Makefile", ".ci/run")) and name not in EXCEPT:
            text = (ROOT / name).read_text(encoding="utf-8")
            yield from ((name, number, line) for number, line in enumerate(text.splitlines(), 1))


@pytest.mark.parametrize("phrase", PHRASES)
def test_the_phrase_is_not_used(phrase: str) -> None:
    pattern = re.compile(PHRASES[phrase], re.IGNORECASE)
    found = [
        f"{name}:{number}: {line.strip()}" for name, number, line in lines() if pattern.search(line)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "before",
    [
        "SQL on the hot ways: compiled once",
        "a commit becomes visible later than the time that it bears",
        "what was sent is no JSON object",
        "some members of the body are not as they must be",
        "the one kept first is forgotten first",
        "these settings cannot be run with",
        "whoever hammers causes no writing",
    ],
)
def test_the_old_phrases_would_be_found(before: str) -> None:
    assert any(re.search(pattern, before, re.IGNORECASE) for pattern in PHRASES.values())
