"""What the app sees of a request that granian received: PEP 3333, RFC 9110 and RFC 9112."""

from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest

from authsvc.server.granian.body import Body, BodyEnded
from authsvc.server.granian.environ import MAX_NAMES, BadRequest, _names, environ_of
from authsvc.server.granian.waiting import Deadlines, Loop, wait_for

Headers = list[tuple[bytes, bytes]]


def scope(*headers: tuple[bytes, bytes], **changes: Any) -> dict[str, Any]:
    """Return a request as granian describes it."""
    return {
        "method": "GET",
        "raw_path": b"/notes",
        "query_string": b"",
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", "8000"),
        "client": ("127.0.0.1", "40000"),
        "headers": [(b"host", b"localhost"), *headers],
        **changes,
    }


def test_path_and_query_are_those_that_the_client_sent() -> None:
    environ = environ_of(scope(raw_path=b"/a%2Fb%C3%BC", query_string=b"q=%20"))
    assert environ["PATH_INFO"] == "/a/b\xc3\xbc"
    assert environ["QUERY_STRING"] == "q=%20"
    assert environ["RAW_URI"] == "/a%2Fb%C3%BC?q=%20"


def test_the_environment_of_the_process_is_not_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHSVC_ACCESS_TOKEN_SECRET", "canary")
    monkeypatch.setenv("HTTP_AUTHORIZATION", "Bearer canary")
    assert "canary" not in str(environ_of(scope()))


def test_a_header_with_an_underscore_is_left_out() -> None:
    forged = [(b"x_forwarded_for", b"6.6.6.6"), (b"x-forwarded-for", b"192.0.2.1")]
    for headers in (forged, forged[::-1]):
        assert environ_of(scope(*headers))["HTTP_X_FORWARDED_FOR"] == "192.0.2.1"
    assert "HTTP_X_FORWARDED_FOR" not in environ_of(scope(forged[0]))


def test_header_values_keep_each_byte() -> None:
    environ = environ_of(scope((b"cookie", "name=ü".encode()), (b"x-other", b"\xff")))
    assert environ["HTTP_COOKIE"].encode("latin-1") == "name=ü".encode()
    assert environ["HTTP_X_OTHER"] == "\xff"


def test_several_cookie_lines_are_one_list_and_other_lines_are_joined_by_a_comma() -> None:
    lines = [(b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"dpop", b"one"), (b"dpop", b"two")]
    environ = environ_of(scope(*lines, (b"content-type", b"text/plain")))
    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert environ["HTTP_DPOP"] == "one,two"
    assert environ["CONTENT_TYPE"] == "text/plain"


@pytest.mark.parametrize(
    "headers",
    [
        [(b"host", b"")],
        [(b"host", b"localhost"), (b"host", b"attacker.example")],
        [(b"host", b"x"), (b"content-length", b"2"), (b"transfer-encoding", b"chunked")],
    ],
    ids=["no host", "two hosts", "two lengths"],
)
def test_a_request_that_two_servers_could_read_differently_is_refused(headers: Headers) -> None:
    with pytest.raises(BadRequest):
        environ_of(scope(headers=headers))


def test_http_1_0_needs_no_host() -> None:
    environ = environ_of(scope(headers=[(b"host", b"")], http_version="1"))
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.0"
    assert "HTTP_HOST" not in environ


def test_over_a_unix_socket_the_server_has_a_name() -> None:
    environ = environ_of(scope(server=("/run/authsvc.sock", "0"), client=("", "0")))
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("localhost", "80")
    assert environ["REMOTE_ADDR"] == ""


def test_names_of_headers_do_not_fill_the_memory() -> None:
    for number in range(MAX_NAMES + 100):
        environ = environ_of(scope((b"x-%d" % number, b"value")))
        assert environ[f"HTTP_X_{number}"] == "value"
    assert len(_names) <= MAX_NAMES


class Pieces:
    """The rest of a body, in pieces."""

    must_close = False
    is_over = False

    def __init__(self, *pieces: bytes | BodyEnded) -> None:
        self._pieces: Iterator[bytes | BodyEnded] = iter(pieces)

    def next_piece(self) -> bytes:
        piece = next(self._pieces, b"")
        if isinstance(piece, BodyEnded):
            raise piece
        return piece


def test_a_body_is_read_in_any_sizes_and_in_lines() -> None:
    body = Body(b"one\nt", Pieces(b"wo\nthree\n", b"four\nfive", b" six"))
    assert body.read(2) == b"on"
    assert body.readline() == b"e\n"
    assert body.readline(2) == b"tw"
    assert next(body) == b"o\n"
    assert body.read(8) == b"three\nfo"
    assert body.readlines() == [b"ur\n", b"five six"]
    assert body.read() == body.readline() == b""


def test_a_body_that_was_cut_short_is_never_taken_for_a_whole_one() -> None:
    for body in (Body(b"half", is_cut=True), Body(b"ha", Pieces(b"lf", BodyEnded()))):
        assert body.read(4) == b"half"
        with pytest.raises(BodyEnded):
            body.read(1)
    with pytest.raises(BodyEnded):
        Body(b"half", is_cut=True).read()


class Future:
    """granian's future: nothing arrives, or something arrives later."""

    def __init__(self, result: str | None = None) -> None:
        self._result = result
        self.is_cancelled = False

    def add_done_callback(self, call: Any) -> None:
        if self._result is not None:
            Thread(target=lambda: Loop().call_soon(call, self, context=None)).start()

    def cancel(self) -> bool:
        self.is_cancelled = True
        return True

    def result(self) -> str | None:
        return self._result


def test_a_wait_ends_with_the_result_or_at_its_deadline() -> None:
    assert wait_for(Future("arrived")) == "arrived"
    silent = Future()
    with pytest.raises(TimeoutError):
        wait_for(silent, seconds=0.01)
    assert silent.is_cancelled


def test_a_deadline_that_is_removed_in_time_does_not_act() -> None:
    removed, kept = Event(), Event()
    deadlines = Deadlines(seconds=0.1)
    deadlines.add("removed", removed.set)
    deadlines.add("kept", kept.set)
    deadlines.remove("removed")
    assert kept.wait(10)
    assert not removed.is_set()


def test_a_client_is_not_silent_while_no_thread_can_pass_on_what_it_sends() -> None:
    congested, gave_up, asked = Event(), Event(), Event()
    congested.set()

    def is_congested() -> bool:
        asked.set()
        return congested.is_set()

    Deadlines(is_congested, seconds=0).add("client", gave_up.set)
    assert asked.wait(10)
    assert not gave_up.is_set()
    congested.clear()
    assert gave_up.wait(10)
