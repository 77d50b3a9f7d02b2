"""T4 and T7: three parts of canonical base64url, at most 4 KiB, and nothing around them."""

from tests.attacks.attack import ACCESS, BOTH, Attack
from tests.attacks.tokens import Good, b64, compact

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _long(length: int) -> Attack:
    def forge(good: Good) -> str:
        token = good.with_claims(x="x" * (3 * (length - len(good.text)) // 4))
        assert length <= len(token) < length + 50
        return token

    return Attack(f"rightly signed, of {length} characters or a few more", "T7", forge)


def _unused_bits(index: int) -> Attack:
    """Set an unused bit of one part; the signature covers the new text."""

    def forge(good: Good) -> str:
        parts = good.parts
        if index == 1:  # the payload must have unused bits to set
            for spaces in range(3):
                parts[1] = b64(compact(good.claims) + b" " * spaces)
                if len(parts[1]) % 4:
                    break
        if index == 0:
            parts[0] = b64(compact(good.header) + b" ") if not len(parts[0]) % 4 else parts[0]
        if index < 2:
            parts[index] = _set_lowest_bit(parts[index])
            return good.signed_text(".".join(parts[:2]))
        return good.spliced(2, _set_lowest_bit(parts[2]))

    return Attack(f"an unused bit set in part {index + 1}", "T4", forge)


def _set_lowest_bit(part: str) -> str:
    assert len(part) % 4
    return part[:-1] + _ALPHABET[_ALPHABET.index(part[-1]) | 1]


def _padded(index: int) -> Attack:
    def forge(good: Good) -> str:
        parts = good.parts
        parts[index] += "=" * (-len(parts[index]) % 4 or 4)
        return ".".join(parts) if index == 2 else good.signed_text(".".join(parts[:2]))

    return Attack(f"padding on part {index + 1}", "T4", forge)


def _inserted(name: str, characters: str, index: int) -> Attack:
    """Base64 decoders that skip foreign characters read the same bytes."""

    def forge(good: Good) -> str:
        parts = good.parts
        parts[index] = parts[index][:8] + characters + parts[index][8:]
        return ".".join(parts) if index == 2 else good.signed_text(".".join(parts[:2]))

    on = BOTH if characters.isprintable() else ACCESS
    return Attack(f"{name} in part {index + 1}", "T4", forge, on)


def _standard_alphabet(good: Good) -> str:
    """base64's own alphabet, in a token whose parts differ between the two."""
    for number in range(1000):
        token = good.with_claims(x=f"~~~???{number}")
        if "-" in token or "_" in token:
            head, body, _ = token.split(".")
            signed = f"{head}.{body}".replace("-", "+").replace("_", "/")
            if signed != f"{head}.{body}":
                return good.signed_text(signed)
    raise AssertionError


ATTACKS = [
    Attack("empty", "T4", lambda good: ""),
    Attack("one dot", "T4", lambda good: "."),
    Attack("two dots", "T4", lambda good: ".."),
    Attack("three dots", "T4", lambda good: "..."),
    Attack("the word null", "T4", lambda good: "null"),
    Attack("the word undefined", "T4", lambda good: "undefined"),
    Attack("only the header", "T4", lambda good: good.parts[0]),
    Attack("header and payload", "T4", lambda good: ".".join(good.parts[:2])),
    Attack("an empty signature", "T4", lambda good: good.spliced(2, "")),
    Attack("an empty payload", "T4", lambda good: good.signed_text(good.parts[0] + ".")),
    Attack("an empty header", "T4", lambda good: good.signed_text("." + good.parts[1])),
    Attack("four parts", "T4", lambda good: good.text + ".AAAA"),
    Attack("five parts, as of a JWE", "T4", lambda good: good.text + ".AAAA.AAAA"),
    Attack("a dot before", "T4", lambda good: "." + good.text),
    Attack("a dot after", "T4", lambda good: good.text + "."),
    Attack("the last character cut off", "T4", lambda good: good.text[:-1]),
    Attack("one character more", "T4", lambda good: good.text + "A"),
    Attack("four characters more", "T4", lambda good: good.text + "AAAA"),
    Attack("the signature of zeros", "T1", lambda good: good.spliced(2, b64(b"\0" * 32))),
    Attack("half the signature", "T1", lambda good: good.spliced(2, good.parts[2][:20])),
    Attack("the signature twice", "T1", lambda good: good.text + good.parts[2]),
    Attack(
        "the signature in hexadecimal",
        "T1",
        lambda good: good.spliced(2, good.text.encode().hex()[:64]),
    ),
    Attack(
        "another payload under the old signature",
        "T1",
        lambda good: good.spliced(1, b64(compact({**good.claims, "exp": 9999999999}))),
    ),
    Attack(
        "another header under the old signature",
        "T1",
        lambda good: good.spliced(0, b64(compact({**good.header, "x": 1}))),
    ),
    Attack("the parts in another order", "T4", lambda good: ".".join(reversed(good.parts))),
    Attack("in capitals", "T4", lambda good: good.text.upper()),
    Attack("in small letters", "T4", lambda good: good.text.lower()),
    Attack("the token twice", "T4", lambda good: good.text + good.text),
    Attack("two tokens with a space between", "T4", lambda good: f"{good.text} {good.text}"),
    Attack("two tokens with a dot between", "T4", lambda good: f"{good.text}.{good.text}"),
    Attack("encoded once more", "T4", lambda good: b64(good.text.encode())),
    Attack("percent-encoded dots", "T4", lambda good: good.text.replace(".", "%2E")),
    Attack("in brackets", "T4", lambda good: f"[{good.text}]"),
    Attack("full-width dots", "T4", lambda good: good.text.replace(".", "．")),  # noqa: RUF001
    Attack("a soft hyphen", "T4", lambda good: good.text + "\u00ad"),
    Attack("a zero-width space", "T4", lambda good: good.text[:9] + "\u200b" + good.text[9:]),
    Attack("a Kelvin sign", "T4", lambda good: "\u212a" + good.text[1:]),
    Attack("a byte order mark before", "T4", lambda good: "\ufeff" + good.text),
    Attack("in double quotes", "T4", lambda good: f'"{good.text}"'),
    Attack("in single quotes", "T4", lambda good: f"'{good.text}'"),
    Attack("a line break after", "T4", lambda good: good.text + "\n", ACCESS),
    Attack("a line break and a header after", "T4", lambda good: good.text + "\r\nX: y", ACCESS),
    Attack("NUL after", "T4", lambda good: good.text + "\0", ACCESS),
    Attack(
        "a space within the signature", "T4", lambda good: good.text[:-5] + " " + good.text[-5:]
    ),
    *(_unused_bits(index) for index in range(3)),
    *(_padded(index) for index in range(3)),
    *(_inserted("an exclamation mark", "!", index) for index in range(3)),
    *(_inserted("a line break", "\n", index) for index in range(3)),
    *(_inserted("a non-ASCII letter", "é", index) for index in range(3)),
    Attack("the alphabet of plain base64", "T4", _standard_alphabet),
    _long(4097),
    _long(7000),
    Attack("5,000 characters of one part", "T7", lambda good: "A" * 5000),
    Attack("2,000 dots", "T7", lambda good: "." * 2000),
]
