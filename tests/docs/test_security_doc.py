"""docs/security.md: a test holds each claim, and no requirement is left out."""

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from authsvc.database import Base
from authsvc.ratelimit import limits
from tests.support.running_service import ROOT

DOC = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
VERDICTS = ("met", "not met", "not applicable")
FEWEST_LETTERS = 10

# How many requirements each section has, in the chapters of ASVS 5.0.0 that the document covers.
CHAPTERS = {
    3: (1, 3, 5, 8, 8, 1, 5),
    6: (3, 12, 8, 6, 8, 4, 2, 4),
    7: (3, 4, 2, 5, 3, 2),
    9: (3, 4),
    11: (4, 5, 5, 4, 2, 2, 2),
    14: (2, 8, 3),
    16: (1, 5, 4, 3, 4),
}
OUR_IDS = [
    *("T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8"),
    *("K1", "K2", "K3", "K4", "K5", "X1", "X2", "O1"),
    *("S1", "S2", "S3", "S4", "S5", "S6"),
    *("A1", "A2", "A3", "A4", "A5", "M1", "M2", "M3"),
    *("H1", "H2", "H3", "H4", "G1", "B0", "B1", "B2", "C1", "C2"),
    *("D1", "D2", "D3", "D4"),
    *("E1", "E2", "E3", "E4", "E5", "E6"),
    *("V1", "V2", "V3", "V4", "V5", "V6"),
]
CRYPTOGRAPHY = {"hashlib", "hmac", "secrets", "random", "ssl", "jwt", "pwdlib", "uuid_utils"}
CRYPTOGRAPHY |= {"cryptography", "argon2", "bcrypt", "werkzeug.security"}
RANDOM = {"urandom", "uuid4"}


def table(title: str) -> list[list[str]]:
    """Return the rows of the table in the section with that title, without the header."""
    (section,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", DOC, re.MULTILINE | re.DOTALL)
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


ASVS = table("Requirements of OWASP ASVS 5.0")
OURS = table("Our own requirements")


def missing(text: str) -> list[str]:
    """Return the tests that a text names and that do not exist."""
    return [f"{file}::{name}" for file, name in TEST.findall(text) if name not in named_in(file)]


@cache
def named_in(file: str) -> frozenset[str]:
    path = ROOT / file
    if not path.is_file() or not path.name.startswith("test_"):
        return frozenset()
    functions = (node for node in ast.parse(path.read_text()).body if is_test(node))
    return frozenset(function.name for function in functions)


def is_test(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name.startswith("test_")


def test_each_requirement_of_the_chapters_has_one_row_in_order() -> None:
    expected = [
        f"{chapter}.{section}.{number}"
        for chapter, counts in CHAPTERS.items()
        for section, count in enumerate(counts, 1)
        for number in range(1, count + 1)
    ]
    assert [row[0] for row in ASVS] == expected


@pytest.mark.parametrize("row", ASVS, ids=lambda row: row[0])
def test_each_row_has_a_verdict_and_its_test_or_reason(row: list[str]) -> None:
    number, asks, verdict, why = row
    assert asks
    assert verdict in VERDICTS
    if verdict == "met":
        assert TEST.search(why), f"{number} is met by no test"
    else:
        assert len(re.findall(r"[^\W\d]", TEST.sub("", why))) >= FEWEST_LETTERS
    assert missing(why) == []


def test_each_requirement_of_our_own_has_one_row_in_order() -> None:
    assert [row[0] for row in OURS] == OUR_IDS


@pytest.mark.parametrize("row", OURS, ids=lambda row: row[0])
def test_each_requirement_of_our_own_names_its_tests(row: list[str]) -> None:
    _, asks, tests, _ = row
    assert asks
    assert TEST.search(tests)
    assert TEST.sub("", tests).strip(", ") == ""
    assert missing(tests) == []


def test_every_test_named_in_the_document_exists() -> None:
    assert missing(DOC) == []
    assert DOC.count("tests/") == len(TEST.findall(DOC))  # none is misspelt


@pytest.mark.parametrize(
    "name",
    [
        "tests/test_nowhere.py::test_a_cookie_is_small_enough_for_browsers_to_keep",
        "tests/docs/test_asvs.py::test_that_does_not_exist",
        "tests/docs/test_asvs.py::processes",
        "tests/conftest.py::alice",
    ],
)
def test_a_name_that_is_not_a_test_would_be_found(name: str) -> None:
    assert missing(f"`{name}`") == [name]


def test_the_threat_model_says_what_binding_does_not_stop() -> None:
    rows = {row[0].partition("**")[2].partition("**")[0]: row[2] for row in table("Threat model")}
    assert "key" in rows["A stolen refresh cookie of a bound session"]
    profile = rows["A copy of the whole browser profile"]
    assert profile.startswith("With `AUTHSVC_DEVICE_BINDING=true`, a browser that")
    assert "software keys, stop nothing here" in profile
    (script,) = (row for row in table("Threat model") if row[0].startswith("**A script in your"))
    assert "sign proofs" in script[1]


def test_the_threat_model_says_what_a_second_factor_does_not_stop() -> None:
    rows = {row[0].partition("**")[2].partition("**")[0]: row[1:] for row in table("Threat model")}
    attack, stops = rows["A phishing page"]
    assert "code" in attack
    assert stops.startswith("A passkey")
    assert "A second factor does not stop it" in rows["A script in your page (XSS)"][0]
    assert "There is no second factor" not in DOC


def test_the_limits_are_those_of_the_code() -> None:
    documented = {row[0].strip("`"): (int(row[1]), int(row[2])) for row in table("Limits")}
    assert documented == {
        name: (limit.amount, limit.seconds)
        for name, limit in vars(limits).items()
        if isinstance(limit, limits.Limit)
    }


def test_the_inventory_names_each_file_that_uses_cryptography() -> None:
    named = re.findall(r"`(authsvc/[\w/]+\.py)`", " ".join(row[2] for row in table("Cryptography")))
    files = sorted((ROOT / "authsvc").rglob("*.py"))
    using = {str(file.relative_to(ROOT)) for file in files if uses_cryptography(file)}
    assert set(named) == using


def uses_cryptography(file: Path) -> bool:
    nodes = list(ast.walk(ast.parse(file.read_text())))
    names = {name for node in nodes for name in names_in(node)}
    return bool(names & RANDOM) or any(
        name == module or name.startswith(f"{module}.") for name in names for module in CRYPTOGRAPHY
    )


def names_in(node: ast.AST) -> Iterable[str]:
    """Return the modules that a statement imports, and the attributes and names that it uses."""
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(module), names=names):
            return [module, *(alias.name for alias in names if alias.name in RANDOM)]
        case ast.Attribute(attr=name) if name in RANDOM:
            return [name]
    return []


def test_each_column_of_the_database_is_classified() -> None:
    named = re.findall(r"`(\w+\.\w+)`", " ".join(row[0] for row in table("Data")))
    columns = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
    ]
    assert sorted(named) == sorted(columns)
    for row in table("Data"):
        assert re.match(r"\*\*(secret|personal|pseudonymous)\*\*: ", row[0])
        assert all(row)
