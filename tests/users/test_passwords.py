"""Passwords: policy, hashes of imported users, and one hash for every attempt (A1, A3, A4)."""

import base64
import hashlib
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from threading import Event
from uuid import uuid4

import bcrypt
import pytest
from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import VerifyMismatchError
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from authsvc.audit.model import SecurityEvent
from authsvc.database import reading, writing
from authsvc.problems import ServiceUnavailable
from authsvc.users import hash_cost, sha512_crypt
from authsvc.users.hashing import Hashing, NotMeasured
from authsvc.users.model import User
from authsvc.users.passwords import Argon2id, Passwords, Verdict
from authsvc.web import registry
from tests.conftest import MakeApp, empty_tables
from tests.support.people import Person

pytestmark = pytest.mark.once

EMAIL = "erin@example.com"
PASSWORD = "a lantern for the cellar"
LONG = "ä" * 40 + "and then a tail that bcrypt has never read"
CHEAPEST = Argon2id(time_cost=1, memory_cost=8)


def registered(app: Flask, password: str, email: str = EMAIL) -> TestResponse:
    return Person(app, email, password).call(
        "POST", "/auth/register", json={"email": email, "password": password}
    )


def logged_in(app: Flask, password: str, email: str = EMAIL) -> int:
    return Person(app, email, password).log_in().status_code


@pytest.mark.parametrize(
    "password",
    ["fifteen chars !", "correct Kuh 🐄 äöü", "\U0001f404" * 256, "xq" * 128, " " * 14 + "q"],
)
def test_a_password_of_15_to_256_code_points_is_accepted_and_logs_in(
    app: Flask, password: str
) -> None:
    assert registered(app, password).status_code == 201
    assert logged_in(app, password) == 200


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("fourteen chars", "at least 15"),
        ("\U0001f404" * 14, "at least 15"),
        ("e\u0301" * 14, "at least 15"),
        ("", "at least 15"),
        ("\U0001f404" * 257, "at most 256"),
        ("xq" * 128 + "x", "at most 256"),
        (EMAIL, "own e-mail"),
        (EMAIL.upper(), "own e-mail"),
        ("passwordpassword", "lists"),
        ("123456789012345", "lists"),
    ],
)
def test_a_weak_password_is_refused_at_registration(
    app: Flask, password: str, sentence: str
) -> None:
    answer = registered(app, password)
    assert (answer.status_code, answer.json["code"]) == (422, "validation_failed")
    [error] = answer.json["errors"]
    assert error["pointer"] == "/password"
    assert sentence in error["detail"]


@pytest.mark.parametrize(
    "password",
    ["passwordpassword", "short", "\U0001f404" * 257, "ALICE@example.com", "\ud800" * 20],
)
def test_a_weak_password_is_refused_at_a_change(alice: Person, password: str) -> None:
    alice.logged_in()
    change = {"current_password": alice.password, "new_password": password}
    answer = alice.call("PUT", "/api/me/password", json=change)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/new_password")
    assert alice.on_another_device().log_in().status_code == 200


@pytest.mark.parametrize("password", ["a.very.long.local.part", "A.Very.Long.Local.PART"])
def test_the_local_part_of_the_own_address_is_refused_as_password(
    app: Flask, password: str
) -> None:
    answer = registered(app, password, "a.very.long.local.part@example.com")
    assert answer.status_code == 422
    assert registered(app, password, "another@example.com").status_code == 201


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, f"{EMAIL}1"),
        (EMAIL, f"12{EMAIL.upper()}345"),
        (EMAIL, f"{EMAIL} erin erin"),
        (EMAIL, "erinerinerinerin"),
        (EMAIL, "Erin!erin!ERIN!erin!"),
        ("erin.brown@example.com", "erin.brown2026!"),
        ("jürgen.müller@example.com", unicodedata.normalize("NFD", "!!JÜRGEN.MÜLLER!!")),
    ],
)
def test_14_23_the_own_address_with_little_else_is_refused_as_password(
    app: Flask, email: str, password: str
) -> None:
    answer = registered(app, password, email)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/password")
    assert "own e-mail address" in answer.json["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, "erin and her lamp"),
        (EMAIL, f"{EMAIL} has a lamp"),
        ("bob@example.com", "bob bob bob bob bob"),
        ("erin.brown@example.com", "erin.brown2026!!!!"),
    ],
)
def test_14_23_a_password_with_enough_beside_the_own_address_is_accepted(
    app: Flask, email: str, password: str
) -> None:
    assert registered(app, password, email).status_code == 201


@pytest.mark.parametrize("password", ["qqqqwwwwqqqqwwwwq", "31415 92653 58979", "zxzxzxzx zxzxzxz"])
def test_there_are_no_composition_rules(app: Flask, password: str) -> None:
    assert registered(app, password).status_code == 201


@pytest.mark.parametrize(
    ("chosen", "typed"),
    [
        ("café au lait, deux", unicodedata.normalize("NFD", "café au lait, deux")),
        (unicodedata.normalize("NFD", "Ångström Å Å Å Å"), "Ångström Å Å Å Å"),
        (
            "각각각각각 각각각각각 각각각각",
            unicodedata.normalize("NFD", "각각각각각 각각각각각 각각각각"),
        ),
    ],
)
def test_composed_and_decomposed_spellings_are_one_password(
    app: Flask, chosen: str, typed: str
) -> None:
    assert registered(app, chosen).status_code == 201
    assert chosen != typed
    assert logged_in(app, typed) == 200


@pytest.mark.parametrize(
    "other",
    [
        PASSWORD + " ",
        " " + PASSWORD,
        PASSWORD.upper(),
        PASSWORD.replace(" ", "\u00a0"),
        PASSWORD + "\0",
        PASSWORD[:-1],
        PASSWORD.replace("f", "\uff46"),
    ],
)
def test_a_password_is_not_trimmed_or_case_folded(app: Flask, other: str) -> None:
    registered(app, PASSWORD)
    assert logged_in(app, other) == 401


@pytest.mark.parametrize("password", ["before\0behind, and on", "\0" * 15 + "end", "x" * 255 + "y"])
def test_every_code_point_counts_and_nul_is_one(app: Flask, password: str) -> None:
    assert registered(app, password).status_code == 201
    assert logged_in(app, password) == 200
    assert logged_in(app, password[:-1] + "!") == 401


@pytest.mark.parametrize("email", [EMAIL, "unknown@example.com"])
@pytest.mark.parametrize("path", ["/auth/register", "/auth/login"])
def test_a_lone_surrogate_in_a_password_is_422(app: Flask, path: str, email: str) -> None:
    person = Person(app, email, "a lantern \ud800 for the cellar")
    answer = person.call("POST", path, json=person.credentials)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/password")


def import_user(app: Flask, stored: str, *, disabled: bool = False) -> None:
    """Insert a row, as an operator does."""
    now = datetime.now(UTC)
    row = {"id": uuid4(), "email": EMAIL, "email_key": EMAIL, "password_hash": stored}
    row |= {"created_at": now, "disabled_at": now if disabled else None}
    with app.app_context(), writing() as connection:
        connection.execute(insert(User).values(row))


def stored_hash(app: Flask) -> str:
    with app.app_context(), reading() as connection:
        return connection.execute(select(User.password_hash)).scalar_one()


CRYPT = {
    PASSWORD: (
        "v10Rkgv0cEFeO6NSQlRK7SBtlnhojFufJTyJzX/LYKBpqagFtdFllL0qIfGIur81wXmfg9CqQRObrJNiLNpBK0"
    ),
    LONG: "1sYjTdor0VIO/cvNABnE3804iccXnE.G3b6mQsm7gby5MgS8KcAlynA3DvoOE.jcYYVNPyybvQ7yMMTz9GiK9/",
}
"""What crypt(3) of glibc returns for `$6$rounds=1000$lantern$`, after the last dollar sign."""


PBKDF2 = "YxgB0S7cRad8/q/DGDOJYP/bE6yPb4FyuO7UWPwT7po="
"""PBKDF2-HMAC-SHA256 of the password with the salt "lantern" and 1,500,001 iterations."""


def django(password: str) -> str:
    """Return what Django's PBKDF2PasswordHasher returns."""
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), b"lantern", 1000)
    return f"pbkdf2_sha256$1000$lantern${base64.b64encode(digest).decode()}"


def passlib(password: str, name: str) -> str:
    """Return what passlib's pbkdf2_sha256 or pbkdf2_sha512 returns."""
    digest = hashlib.pbkdf2_hmac(name, password.encode(), b"\xff\xfflantern", 1000)
    salt, text = (
        base64.b64encode(data).decode().rstrip("=").replace("+", ".")
        for data in (b"\xff\xfflantern", digest)
    )
    return f"$pbkdf2-{name}$1000${salt}${text}"


@cache
def outdated(password: str) -> dict[str, str]:
    """Return the hash of the password in every outdated format."""
    data = password.encode()[:72]
    return {
        "scrypt": generate_password_hash(password, "scrypt:1024:8:1"),
        "pbkdf2": generate_password_hash(password, "pbkdf2:sha256:1000"),
        "pbkdf2-sha512": generate_password_hash(password, "pbkdf2:sha512:1000"),
        "bcrypt-2b": bcrypt.hashpw(data, bcrypt.gensalt(4)).decode(),
        "bcrypt-2a": bcrypt.hashpw(data, bcrypt.gensalt(4, b"2a")).decode(),
        "bcrypt-2y": bcrypt.hashpw(data, bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$"),
        "django-pbkdf2": django(password),
        "django-argon2": f"argon2{PasswordHasher(1, 16, 1).hash(password)}",
        "passlib-sha256": passlib(password, "sha256"),
        "passlib-sha512": passlib(password, "sha512"),
        "sha512-crypt": f"$6$rounds=1000$lantern${CRYPT[password]}",
        "argon2id": PasswordHasher(1, 16, 1).hash(password),
        "argon2i": PasswordHasher(1, 8, 1, type=Type.I).hash(password),
        "argon2d": PasswordHasher(1, 8, 1, type=Type.D).hash(password),
    }


@pytest.mark.parametrize("password", [PASSWORD, LONG], ids=["short", "long"])
@pytest.mark.parametrize("kind", list(outdated(PASSWORD)))
def test_an_outdated_hash_is_upgraded_at_a_good_login_and_never_at_a_bad_one(
    app: Flask, kind: str, password: str
) -> None:
    imported = outdated(password)[kind]
    import_user(app, imported)
    assert logged_in(app, "this is the wrong one") == 401
    assert stored_hash(app) == imported
    assert logged_in(app, password) == 200
    upgraded = stored_hash(app)
    assert upgraded.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert logged_in(app, password) == 200
    assert stored_hash(app) == upgraded


def test_the_service_hashes_with_argon2id_at_owasps_parameters() -> None:
    assert Passwords(15).hash(PASSWORD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_after_the_upgrade_of_a_bcrypt_hash_the_whole_password_counts(app: Flask) -> None:
    import_user(app, outdated(LONG)["bcrypt-2b"])
    assert logged_in(app, LONG) == 200
    assert logged_in(app, LONG[:-1]) == 401


@pytest.mark.parametrize("kind", ["scrypt", "bcrypt-2b", "argon2id"])
def test_a_disabled_account_is_neither_logged_in_nor_upgraded(app: Flask, kind: str) -> None:
    imported = outdated(PASSWORD)[kind]
    import_user(app, imported, disabled=True)
    assert logged_in(app, PASSWORD) == 401
    assert stored_hash(app) == imported


MALFORMED = [
    "",
    "!",
    PASSWORD,
    "sha256$salt$abcdef",
    "scrypt:32768:8:1$s$é",
    "scrypt:nonsense$s$ab",
    "scrypt:99999999999999999999:8:1$s$ab",
    "scrypt:-2:-2:-1$s$ab",
    "scrypt:0:0:0$s$ab",
    "scrypt:",
    "pbkdf2:sha256:99999999999999999999$s$ab",
    "pbkdf2:sha256:-1$s$ab",
    "pbkdf2:nonsense:1$s$ab",
    outdated(PASSWORD)["scrypt"][:-1],
    outdated(PASSWORD)["scrypt"][:30],
    outdated(PASSWORD)["bcrypt-2b"][:-1],
    outdated(PASSWORD)["argon2id"][:-1],
    outdated(PASSWORD)["argon2id"][:40],
    outdated(PASSWORD)["argon2id"] + "x",
    outdated(PASSWORD)["argon2id"] + "é",
    "$2b$99$" + "a" * 53,
    "$2x$04$" + "a" * 53,
    "pbkdf2_sha256$0$lantern$" + "A" * 43 + "=",
    "pbkdf2_sha256$1000$lantern$é",
    "$pbkdf2-sha256$1000$A$A",
    "$pbkdf2-sha1$1000$AAAA$AAAA",
    "argon2$argon2id$v=19$m=8",
    "$6$rounds=x$lantern$" + "a" * 86,
    "$6$lantern$" + "a" * 85,
    "$2b$00$" + "." * 53,
    "$argon2id$v=19$m=99999999999999999999,t=1,p=1$YWFhYWFhYWE$YWFhYWFhYWE",
    "$argon2id$v=19$m=0,t=0,p=0$YWFhYWFhYWE$YWFhYWFhYWE",
]


@pytest.mark.parametrize("stored", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_stored_hash_is_a_wrong_password(app: Flask, stored: str) -> None:
    import_user(app, stored)
    assert logged_in(app, PASSWORD) == 401
    assert stored_hash(app) == stored


@cache
def too_expensive() -> dict[str, str]:
    """Return hashes of the password, or shaped like one, beyond each limit."""
    argon2 = PasswordHasher(1, 16, 1).hash(PASSWORD)
    return {
        "bcrypt": f"$2b${hash_cost.MAX_BCRYPT_COST + 1}$" + "a" * 53,
        "django": f"pbkdf2_sha256$1500001$lantern${PBKDF2}",
        "passlib": passlib(PASSWORD, "sha512").replace("$1000$", "$1500001$"),
        "werkzeug": "pbkdf2:sha256:1500001$s$ab",
        "scrypt": "scrypt:131072:8:2$s$ab",
        "argon2-memory": argon2.replace("m=16,t=1,", "m=524289,t=1,"),
        "argon2-passes": argon2.replace("m=16,t=1,", "m=131072,t=5,"),
        "argon2-threads": argon2.replace("p=1$", "p=17$"),
        "django-argon2": "argon2" + argon2.replace("m=16,t=1,", "m=524289,t=1,"),
        "crypt": f"$6$rounds=700001$lantern${CRYPT[PASSWORD]}",
    }


@pytest.mark.parametrize("kind", list(too_expensive()))
def test_14_27_a_hash_that_asks_for_too_much_work_is_a_wrong_password_and_is_reported(
    counted: tuple[Flask, "Counting"], kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    app, hasher = counted
    import_user(app, too_expensive()[kind])
    hasher.calls = 0
    assert logged_in(app, PASSWORD) == 401
    assert hasher.calls == 1
    with app.app_context(), reading() as connection:
        [user_id] = connection.execute(select(User.id)).scalars()
        details = connection.execute(select(SecurityEvent.detail)).scalars().all()
    assert f"The password of user {user_id} was not verified" in caplog.text
    assert details == ["hash_too_expensive"]


@pytest.mark.parametrize(
    ("hash", "password_bytes", "why"),
    [
        ("$2y$13$", 0, None),
        ("pbkdf2_sha256$1500000$s$", 0, None),
        ("scrypt:32768:8:4$s$ab", 0, None),
        ("$argon2id$v=19$m=102400,t=2,p=8$", 0, None),
        ("$argon2id$v=19$m=65536,t=3,p=4$", 0, None),
        ("$6$rounds=656000$s$", 127, None),
        ("$6$rounds=656000$s$", 128, "SHA512-crypt rounds 1312000, at most 700000"),
        ("$6$s$", 1024, None),
    ],
)
def test_14_27_the_usual_parameters_are_within_the_limits(
    hash: str, password_bytes: int, why: str | None
) -> None:
    assert hash_cost.excess(hash, password_bytes) == why


@pytest.mark.parametrize(
    ("password", "rounds", "salt", "digest"),
    [
        (
            PASSWORD.encode(),
            5000,
            b"saltstringsaltst",
            "rT1zQ2cnvSZRknZOjuMxBHrUR5gGfZxJcCxpElqShtGxyVTJntO7DGPrAdDpozjaKmeYIU45GRiFP2JY9cFKW.",
        ),
        (
            b"x" * 200,
            5000,
            b"",
            "5az4VHGKnXBMYmP7OFEiz7ltE/AzTHW8Fmo03bwLh1pbUIbQwCYpiBplgqUOi70SxJNK04Q6XiLcwkRsZWE5e/",
        ),
        (
            b"",
            1,
            b"lantern",
            "gXpCuzXKwiWjTlJsg.yQM45YXIXT8896QO..qyIYZtn2G1VY8vb72a/iPcO6mIYFFU6Uw5ST1/Zsdu3sFGyM4/",
        ),
    ],
)
def test_14_27_sha512_crypt_is_that_of_glibc(
    password: bytes, rounds: int, salt: bytes, digest: str
) -> None:
    assert sha512_crypt.digest(password, salt, rounds) == digest


@settings(deadline=None, max_examples=50)
@given(
    stored=st.text(max_size=80)
    | st.from_regex(r"(scrypt:|pbkdf2:|pbkdf2_sha256\$|\$6\$|\$pbkdf2-sha256\$)[\s\S]{0,40}")
)
def test_any_text_instead_of_a_hash_is_a_wrong_password(stored: str) -> None:
    assert Passwords(15, CHEAPEST).verify(PASSWORD, stored) == Verdict(False)


def test_without_an_account_every_password_is_wrong() -> None:
    assert Passwords(15, CHEAPEST).verify(PASSWORD, None) == Verdict(False)


def test_the_dummy_hash_is_well_formed_and_costs_as_much_as_any() -> None:
    for hasher in (CHEAPEST, Argon2id()):
        dummy = hasher.dummy_hash
        assert extract_parameters(dummy) == extract_parameters(hasher.hash(PASSWORD))
        with pytest.raises(VerifyMismatchError):  # a malformed hash raises another error
            PasswordHasher().verify(dummy, PASSWORD)


def test_a_hash_that_has_waited_too_long_for_its_turn_is_503() -> None:
    hashing, begun, let_go = Hashing(NotMeasured()), Event(), Event()

    def hold() -> bool:
        begun.set()
        return let_go.wait(timeout=10)

    with ThreadPoolExecutor(1) as another:
        held = another.submit(hashing.compute, hold)
        assert begun.wait(timeout=10)
        with pytest.raises(ServiceUnavailable):
            hashing.compute(bool)
        let_go.set()
        assert held.result()
    assert hashing.compute(lambda: "the next")


class Counting(Argon2id):
    """A hasher that counts its computations."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8)
        self.calls = 0

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.calls += 1
        return super().hash(password, salt=salt)

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        self.calls += 1
        return super().verify(password, hash)


@pytest.fixture
def counted(make_app: MakeApp) -> Iterator[tuple[Flask, Counting]]:
    app, hasher = make_app(), Counting()
    registry.add(app, Passwords(15, hasher))
    yield app, hasher
    empty_tables(app)


@pytest.mark.parametrize(
    ("stored", "disabled", "typed"),
    [
        (None, False, PASSWORD),
        (CHEAPEST.hash(PASSWORD), False, "this is the wrong one"),
        (CHEAPEST.hash(PASSWORD), True, PASSWORD),
        (CHEAPEST.hash(PASSWORD), True, "this is the wrong one"),
        (outdated(PASSWORD)["argon2id"], True, PASSWORD),
        (outdated(PASSWORD)["scrypt"], True, PASSWORD),
        ("", False, PASSWORD),
        ("no hash at all", False, PASSWORD),
        ("scrypt:nonsense$s$ab", False, PASSWORD),
        ("scrypt:32768:8:1$s$é", False, PASSWORD),
    ],
    ids=range(10),
)
def test_every_failed_login_costs_one_hash_and_answers_alike(
    counted: tuple[Flask, Counting], stored: str | None, disabled: bool, typed: str
) -> None:
    app, hasher = counted
    if stored is not None:
        import_user(app, stored, disabled=disabled)
    reference = Person(app, "unknown@example.com", typed).log_in()
    hasher.calls = 0
    answer = Person(app, EMAIL, typed).log_in()
    assert hasher.calls == 1
    assert (answer.status_code, answer.data) == (401, reference.data)
    assert visible(answer) == visible(reference)


def visible(answer: TestResponse) -> list[tuple[str, str]]:
    return [pair for pair in answer.headers if pair[0] not in ("Date", "X-Request-ID")]


def test_a_good_login_with_a_current_hash_costs_one_hash(
    counted: tuple[Flask, Counting],
) -> None:
    app, hasher = counted
    registered(app, PASSWORD)
    hasher.calls = 0
    assert logged_in(app, PASSWORD) == 200
    assert hasher.calls == 1


def test_a_malformed_stored_hash_is_a_wrong_password_at_a_change_too(alice: Person) -> None:
    alice.logged_in()
    with alice.app.app_context(), writing() as connection:
        connection.execute(update(User).values(password_hash="scrypt:1:1:1$s$é"))
    change = {"current_password": alice.password, "new_password": PASSWORD}
    assert alice.call("PUT", "/api/me/password", json=change).status_code == 403
    assert alice.call("DELETE", "/api/me", json={"password": PASSWORD}).status_code == 403
