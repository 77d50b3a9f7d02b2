"""Strict JSON: text that two parsers could read differently is refused."""

import json
from time import thread_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authsvc.strict_json import MAX_DEPTH, NotStrictJson, loads

GOOD = [
    (b"{}", {}),
    (b' \t\r\n{ "a" : [ 1 , -2.5e1 , true , null ] }\n', {"a": [1, -25.0, True, None]}),
    ('"Zoë 😀"'.encode(), "Zoë 😀"),
    (b'"\\ud83d\\ude00"', "😀"),
    (b'"\\u0000"', "\0"),
    (b'{"a": {"b": 1}, "b": {"a": 1}}', {"a": {"b": 1}, "b": {"a": 1}}),
    (b'"' + b"[{" * 100 + b'"', "[{" * 100),
    (b'"' + b'\\"[' * 100 + b'"', '"[' * 100),
    (b"[" + b"[]," * 200 + b"[]]", [[]] * 201),
    (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)),
]
BAD = {
    "empty": b"",
    "blank": b"  ",
    "text": b"alice",
    "two values": b"{} {}",
    "trailing comma": b"[1,]",
    "single quotes": b"{'a': 1}",
    "comment": b"{} // x",
    "control character": b'"a\nb"',
    "cut off": b'{"a": "b',
    "cut escape": b'"\\',
    "unknown escape": b'"\\x41"',
    "leading zero": b"01",
    "plus": b"+1",
    "bare point": b"1.",
    "hexadecimal": b"0x1",
    "arabic digits": b"\xd9\xa1",
    "NaN": b"NaN",
    "NaN in an object": b'{"exp": NaN}',
    "Infinity": b"Infinity",
    "-Infinity": b"[-Infinity]",
    "a number that is infinite": b"1e999",
    "an integer of 5,000 digits": b"1" * 5000,
    "duplicates": b'{"a": 1, "a": 1}',
    "duplicates by escape": b'{"a": 1, "\\u0061": 2}',
    "duplicates far down": b'[{"x": {"a": 1, "b": 2, "a": 3}}]',
    "BOM": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "UTF-16 without a BOM": "{}".encode("utf-16-le"),
    "UTF-32": "{}".encode("utf-32"),
    "Latin-1": '"é"'.encode("latin-1"),
    "a surrogate in UTF-8": b'"\xed\xa0\x80"',
    "an overlong NUL": b'"\xc0\x80"',
    "a NUL": b"{}\0",
    "one level too deep": b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
    "1,500 levels": b"[" * 1500 + b"]" * 1500,
    "200,000 levels": b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
    "200,000 levels, open": b"[" * 200_000,
    "deep between strings": (b'{"]":' * 100) + b"1" + b"}" * 100,
    "deep after a backslash": b'["\\\\",' + b"[" * 100 + b"]" * 101,
}


@pytest.mark.parametrize(("text", "value"), GOOD)
def test_strict_json_is_parsed(text: bytes, value: object) -> None:
    assert loads(text) == value


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_other_text_is_refused(text: bytes) -> None:
    with pytest.raises(NotStrictJson):
        loads(text)


def test_a_lone_surrogate_is_accepted() -> None:
    assert loads(b'"\\ud800"') == "\ud800"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=50, deadline=None)
@given(values, st.booleans())
def test_the_output_of_json_dumps_is_read_back(value: object, escaped: bool) -> None:
    try:
        text = json.dumps(value, ensure_ascii=escaped).encode()
    except UnicodeEncodeError:  # UTF-8 cannot encode a lone surrogate
        return
    assert loads(text) == value


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_parsed_as_json_loads_does_or_refused(text: bytes) -> None:
    try:
        value = loads(text)
    except NotStrictJson:
        return
    assert value == json.loads(text.decode("utf-8"))


def test_a_string_that_does_not_end_costs_no_more_than_its_length() -> None:
    text = b"[" * 65 + b'"' + b'\\"' * 32_000
    before = thread_time()
    with pytest.raises(NotStrictJson):
        loads(text)
    assert thread_time() - before < 1, "it took 4 s when each quotation mark began a new search"
