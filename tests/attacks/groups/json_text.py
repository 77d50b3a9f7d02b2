"""T4: the payload is strict JSON in UTF-8, and an object."""

from tests.attacks.attack import Attack
from tests.attacks.tokens import Good, compact


def _payload(name: str, payload: bytes) -> Attack:
    return Attack(f"the payload is {name}", "T4", lambda good: good.signed(payload=payload))


def _with(name: str, more: bytes) -> Attack:
    return Attack(
        f"a payload with {name}",
        "T4",
        lambda good: good.signed(payload=compact(good.claims)[:-1] + b"," + more + b"}"),
    )


def _recoded(encoding: str, *, header: bool = False) -> Attack:
    def forge(good: Good) -> str:
        text = compact(good.header if header else good.claims).decode().encode(encoding)
        return good.signed(header=text) if header else good.signed(payload=text)

    return Attack(f"the {'header' if header else 'payload'} in {encoding}", "T4", forge)


def _around(name: str, before: bytes, after: bytes) -> Attack:
    return Attack(
        name, "T4", lambda good: good.signed(payload=before + compact(good.claims) + after)
    )


ATTACKS = [
    _payload("null", b"null"),
    _payload("true", b"true"),
    _payload("a number", b"1"),
    _payload("a string", b'"sub"'),
    _payload("an empty list", b"[]"),
    _payload("an empty object", b"{}"),
    _payload("not JSON", b"claims"),
    _payload("Latin-1", '{"sub":"é"}'.encode("latin-1")),
    _payload("one byte that is not UTF-8", b"\xff"),
    _payload("a hundred open lists", b"[" * 100),
    _payload("1,500 lists", b"[" * 1500 + b"]" * 1500),
    _payload("1,500 objects", b'{"a":' * 400 + b"1" + b"}" * 400),
    _payload("a number of 2,500 digits", b"1" * 2500),
    Attack("the claims in a list", "T4", lambda good: good.signed(payload=compact([good.claims]))),
    Attack(
        "the claims as a string",
        "T4",
        lambda good: good.signed(payload=compact(compact(good.claims).decode())),
    ),
    Attack(
        "the claims within a member",
        "T4",
        lambda good: good.signed(payload=compact({"claims": good.claims})),
    ),
    _around("a comma after the last claim", b"", b","),
    _around("a second object after the payload", b"", b"{}"),
    _around("a NUL after the payload", b"", b"\0"),
    _around("a byte order mark before the payload", b"\xef\xbb\xbf", b""),
    _around("a vertical tab before the payload", b"\v", b""),
    _around("a no-break space after the payload", b"", b"\xc2\xa0"),
    _around("a comment before the payload", b"/**/", b""),
    _recoded("utf-16"),
    _recoded("utf-16-le"),
    _recoded("utf-16-be"),
    _recoded("utf-32"),
    _recoded("utf-7", header=True),
    _recoded("utf-16", header=True),
    _recoded("utf-8-sig", header=True),
    _with("NaN", b'"x":NaN'),
    _with("Infinity", b'"x":Infinity'),
    _with("minus Infinity", b'"x":-Infinity'),
    _with("deep lists", b'"x":' + b"[" * 70 + b"]" * 70),
    _with("deep objects", b'"x":' + b'{"y":' * 70 + b"1" + b"}" * 70),
    _with("a trailing comma", b'"x":1,'),
    _with("a bare name", b"x:1"),
    _with("single quotes", b"'x':1"),
    _with("a raw line break in a string", b'"x":"\n"'),
    _with("a raw NUL in a string", b'"x":"\0"'),
    _with("an overlong slash", b'"x":"\xc0\xaf"'),
    _with("a surrogate in UTF-8", b'"x":"\xed\xa0\x80"'),
    _with("a leading zero", b'"x":01'),
    _with("a leading plus", b'"x":+1'),
    _with("hexadecimal", b'"x":0x1'),
    _with("a number of 5,000 digits' kin", b'"x":' + b"9" * 2000 + b"e"),
    Attack(
        "a space in the header", "T3", lambda good: good.signed(header=compact(good.header) + b" ")
    ),
    Attack(
        "an escape in the header",
        "T3",
        lambda good: good.signed(header=compact(good.header).replace(b"alg", b"\\u0061lg")),
    ),
    Attack(
        "a header that is a list", "T4", lambda good: good.signed(header=compact([good.header]))
    ),
    Attack("a header that is a string", "T4", lambda good: good.signed(header=b'"HS256"')),
    Attack("a header that is null", "T4", lambda good: good.signed(header=b"null")),
    Attack("a header that is not JSON", "T4", lambda good: good.signed(header=b"\xff\xfe")),
    Attack("a header of deep lists", "T4", lambda good: good.signed(header=b"[" * 1000)),
]
