"""An operator's view with a limit of its own for bodies, which arrive whole or not at all."""

from io import BytesIO

import pytest
from flask import Flask, request
from werkzeug.test import TestResponse

from authsvc.web.json_body import MAX_BODY
from tests.conftest import MakeApp
from tests.support.people import Person
from tests.support.responses import assert_problem

LIMIT = 6_000_000
FRAMINGS = ["Content-Length", "chunked"]
JSON = "application/json"


@pytest.fixture(scope="module")
def uploads(make_app: MakeApp) -> Flask:
    app = make_app()

    @app.post("/upload")
    def upload() -> dict[str, int]:
        request.max_content_length = LIMIT
        return {"bytes": len(request.get_data())}

    @app.post("/lines")
    def lines() -> dict[str, int]:
        request.max_content_length = LIMIT
        return {"bytes": sum(map(len, request.stream))}

    @app.post("/json")
    def big_json() -> dict[str, int]:
        request.max_content_length = LIMIT
        return {"members": len(request.get_json())}

    @app.post("/form")
    def form() -> dict[str, int]:
        request.max_content_length = LIMIT
        return {"bytes": len(request.files["picture"].read())}

    app.post("/unread")(lambda: "unread")
    return app


@pytest.fixture
def carol(app: Flask, uploads: Flask) -> Person:
    return Person(uploads, "carol@example.com", "a lamp that is not lit").register().logged_in()


def send(
    person: Person,
    path: str,
    source: BytesIO,
    framing: str,
    *,
    method: str = "POST",
    kind: str = "application/octet-stream",
    declared: int | None = None,
) -> TestResponse:
    """Send the body as a server passes it on that knows where it ends."""
    length = declared or len(source.getvalue())
    sent = {"CONTENT_LENGTH": str(length)}
    if framing == "chunked":
        sent = {"HTTP_TRANSFER_ENCODING": "chunked"}
    return person.app.test_client(use_cookies=False).open(
        path,
        method=method,
        input_stream=source,
        content_type=kind,
        headers={"Authorization": f"Bearer {person.access_token}"},
        environ_overrides={"wsgi.input_terminated": True, **sent},
    )


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("path", ["/upload", "/lines"])
def test_a_view_takes_bodies_up_to_its_own_limit(carol: Person, path: str, framing: str) -> None:
    for size in (0, 1, MAX_BODY + 1, 5_000_000, LIMIT):
        assert send(carol, path, BytesIO(b"x" * size), framing).json == {"bytes": size}
    assert_problem(
        send(carol, path, BytesIO(b"x" * (LIMIT + 1)), framing), 413, "request_too_large"
    )


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_view_takes_files_of_a_form_up_to_its_own_limit(carol: Person, framing: str) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n\r\n'
    body = BytesIO(head + b"x" * 5_000_000 + b"\r\n--x--\r\n")
    answer = send(carol, "/form", body, framing, kind="multipart/form-data; boundary=x")
    assert answer.json == {"bytes": 5_000_000}


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_view_takes_large_json_beside_a_bearer_token(carol: Person, framing: str) -> None:
    body = b"[" + b"1," * 1_000_000 + b"1]"
    assert send(carol, "/json", BytesIO(body), framing, kind=JSON).json == {"members": 1_000_001}


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("path", ["/api/me/password", "/api/me"])
def test_our_own_routes_stay_at_16_kib(carol: Person, path: str, framing: str) -> None:
    body = BytesIO(b"{}".ljust(MAX_BODY + 1))
    method = "DELETE" if path == "/api/me" else "PUT"
    answer = send(carol, path, body, framing, method=method, kind=JSON)
    assert_problem(answer, 413, "request_too_large")


@pytest.mark.parametrize("framing", FRAMINGS)
def test_the_guard_reads_at_most_16_kib_of_a_body(carol: Person, framing: str) -> None:
    source = BytesIO(b'{"a":"' + b"x" * 5_000_000 + b'"}')
    answer = send(carol, "/unread", source, framing, kind=JSON)
    assert answer.text == "unread"
    assert source.tell() <= MAX_BODY + 1


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_second_token_in_a_small_body_is_refused(carol: Person, framing: str) -> None:
    body = b'{"access_token": "%s"}' % carol.access_token.encode()
    answer = send(carol, "/upload", BytesIO(body), framing, kind=JSON)
    assert_problem(answer, 400, "invalid_request")


@pytest.mark.parametrize("path", ["/upload", "/lines", "/json"])
def test_a_body_that_ends_early_is_400(carol: Person, path: str) -> None:
    kind = JSON if path == "/json" else "application/octet-stream"
    body = BytesIO(b"[1, 2, 3]")
    answer = send(carol, path, body, "Content-Length", kind=kind, declared=20_000)
    assert_problem(answer, 400, "invalid_request")


@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_view_reads_small_json_as_a_stream_too(carol: Person, framing: str) -> None:
    assert send(carol, "/lines", BytesIO(b'{"a":\n1}'), framing, kind=JSON).json == {"bytes": 8}


class BrokenFraming(BytesIO):
    """What a server raises for a chunk whose size is not a number is of its own class."""

    def read(self, size: int | None = -1) -> bytes:
        raise Exception("InvalidChunkSize")


@pytest.mark.parametrize("kind", [JSON, "application/octet-stream"])
@pytest.mark.parametrize("path", ["/upload", "/lines"])
def test_a_body_with_broken_framing_is_400(carol: Person, path: str, kind: str) -> None:
    answer = send(carol, path, BrokenFraming(b"x"), "chunked", kind=kind)
    assert_problem(answer, 400, "invalid_request")
