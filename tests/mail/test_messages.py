"""Messages: what each mail says, and its headers."""

import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import cache
from uuid import UUID

import pytest

from authsvc.mail.examples import TEMPLATES, example
from authsvc.mail.letter import Letter, Template
from authsvc.mail.messages import Messages
from tests.support.mailbox import APP_URL, html_of, text_of

SENDER = "Example <no-reply@example.com>"
NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
LINKED = ("reset", "invitation", "verification", "change")


@cache
def messages(sender: str) -> Messages:
    """Return the messages of a sender; making them compiles the templates, which takes time."""
    return Messages(sender, APP_URL, None, "en")


def rendered(letter: Letter, sender: str = SENDER) -> EmailMessage:
    return messages(sender).render(letter, UUID(int=7), NOON)


@pytest.mark.parametrize("template", TEMPLATES)
def test_each_message_says_who_sends_it_and_to_whose_address(template: Template) -> None:
    mail = rendered(example(template))
    assert "Example" in mail["Subject"]
    for body in (text_of(mail), html_of(mail)):
        assert "alice@example.com" in body
        assert "Example" in body
        assert re.search(r"[{}]{2}|[{]%|%[}]|Subject:", body) is None


@pytest.mark.parametrize("template", TEMPLATES)
def test_both_parts_say_the_same(template: Template) -> None:
    mail = rendered(example(template))
    body = html_of(mail).partition("</h1>")[2]
    in_html = re.sub(r"<[^>]+>", " ", re.sub(r"<p class=.url.*", "", body))
    in_text = re.sub(r":\nhttps\S+", "", text_of(mail))
    assert in_html.split() == in_text.split()


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_link_is_on_a_line_of_its_own_once(template: Template) -> None:
    letter = example(template)
    mail = rendered(letter)
    found = re.findall(r"^https://\S+#token=\S+$", text_of(mail), re.MULTILINE)
    assert found == ([letter.link.url(APP_URL)] if letter.link else [])
    assert text_of(mail).count("#token=") == len(found)
    assert set(re.findall(r'href="([^"]*)"', html_of(mail))) == set(found)
    assert (template in LINKED) == bool(found)


@pytest.mark.parametrize(
    ("template", "life"),
    [
        ("reset", "for 30 minutes"),
        ("invitation", "for 7 days"),
        ("verification", "for 24 hours"),
        ("change", "for 60 minutes"),
    ],
)
def test_a_mail_says_how_long_its_link_works(template: Template, life: str) -> None:
    assert life in text_of(rendered(example(template)))


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_html_needs_no_image_and_loads_nothing(template: Template) -> None:
    html = html_of(rendered(example(template)))
    assert html.startswith('<!doctype html>\n<html lang="en" dir="ltr">\n')
    assert '<meta name="color-scheme" content="light dark">' in html
    assert re.search(r"<(img|link|script|iframe|object)\b|\bsrc=|url\(|@import", html) is None


def test_the_verification_says_that_a_password_is_asked_for() -> None:
    text = text_of(rendered(example("verification")))
    assert "asks for the password that you chose when you registered" in text


@pytest.mark.parametrize(
    ("template", "factor", "subject"),
    [
        ("factor_added", "totp", "An authenticator app was added to your account at Example"),
        ("factor_added", "passkey", "A passkey was added to your account at Example"),
        ("factor_removed", "totp", "Your authenticator app was removed from your account at"),
        ("factor_removed", "passkey", "A passkey was removed from your account at Example"),
        ("factor_removed", "all", "All second factors were removed from your account at Example"),
    ],
)
def test_a_mail_names_the_factor(template: Template, factor: str, subject: str) -> None:
    mail = rendered(replace(example(template), facts={"factor": factor}))
    assert mail["Subject"].startswith(subject)
    assert text_of(mail).startswith(subject[:18])


def test_the_owner_is_sent_to_the_operator_if_a_stranger_added_a_factor() -> None:
    text = text_of(rendered(example("factor_added")))
    assert "write to the people who run Example: they can remove it" in text


def test_a_login_by_an_unknown_browser_is_described() -> None:
    unknown = {"browser": "", "system": "", "ip_address": ""}
    text = text_of(rendered(replace(example("new_login"), facts=unknown)))
    assert "Browser: unknown\nTime: 2026-11-24 12:00 UTC\nNetwork address: unknown\n" in text


def test_the_headers_say_that_the_mail_is_automatic_and_in_which_language() -> None:
    mail = rendered(example("reset"))
    assert {name: str(value) for name, value in mail.items()} == {
        "Message-ID": f"<{UUID(int=7)}@example.com>",
        "Date": "Tue, 24 Nov 2026 12:00:00 +0000",
        "From": SENDER,
        "To": "alice@example.com",
        "Subject": "Choose a new password for Example",
        "Auto-Submitted": "auto-generated",
        "Content-Language": "en",
        "MIME-Version": "1.0",
        "Content-Type": 'multipart/alternative; boundary="=00000000000000000000000000000007="',
    }


@pytest.mark.parametrize("sender", [SENDER, "Bücher für alle <no-reply@bücher.example>"])
@pytest.mark.parametrize("template", TEMPLATES)
def test_a_second_attempt_sends_the_same_bytes_in_seven_bits(
    template: Template, sender: str
) -> None:
    sent = rendered(example(template), sender).as_bytes()
    assert rendered(example(template), sender).as_bytes() == sent
    assert sent.isascii()
    assert max(len(line) for line in sent.split(b"\n")) <= 998


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        ("no-reply@example.com", "app.example.com"),
        ('"Notes, by Acme" <no-reply@example.com>', "Notes, by Acme"),
        ("Bücher <no-reply@example.com>", "Bücher"),
    ],
)
def test_the_name_is_that_of_the_sender_or_else_the_host_of_the_app(sender: str, name: str) -> None:
    mail = rendered(example("reset"), sender)
    assert mail["Subject"] == f"Choose a new password for {name}"
    assert f"at {name}." in text_of(mail)


def test_a_name_is_text_in_html() -> None:
    mail = rendered(example("reset"), '"<b>&" <no-reply@example.com>')
    assert "<b>" not in html_of(mail)
    assert "at &lt;b&gt;&amp;." in html_of(mail)
    assert "at <b>&." in text_of(mail)


def test_domains_are_in_ascii() -> None:
    mail = rendered(replace(example("reset"), to="alice@münchen.example"), "a@bücher.example")
    assert mail["To"] == "alice@xn--mnchen-3ya.example"
    assert mail["From"] == "a@xn--bcher-kva.example"
    assert mail["Message-ID"].endswith("@xn--bcher-kva.example>")


def test_an_address_that_needs_it_is_sent_in_utf_8() -> None:
    sent = rendered(replace(example("reset"), to="zoë@example.com")).as_bytes()
    assert "\nTo: zoë@example.com\n".encode() in sent


@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n"])
def test_a_line_break_in_an_address_is_refused(line_break: str) -> None:
    hostile = f"alice@example.com{line_break}Bcc: mallory@example.com"
    with pytest.raises(ValueError, match="CR or LF"):
        rendered(replace(example("reset"), to=hostile))


@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n"])
def test_a_line_break_in_the_name_of_the_sender_makes_no_header(line_break: str) -> None:
    sender = f'"Notes{line_break}Bcc: x" <no-reply@example.com>'
    with suppress(ValueError):  # the boot refuses it already
        sent = rendered(example("reset"), sender).as_bytes()
        assert re.search(rb"^Bcc", sent, re.MULTILINE) is None


@pytest.mark.parametrize("to", ["a, mallory@example.com", "<mallory@example.com> a@example.com"])
def test_an_address_stays_one_address(to: str) -> None:
    sent = rendered(replace(example("reset"), to=to)).as_bytes()
    (line,) = re.findall(rb"^To: (.*)$", sent, re.MULTILINE)
    assert line.startswith(b'"')
