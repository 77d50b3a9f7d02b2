"""An operator's own templates: which one is used, and what is said about faults in them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import time_machine
from flask import Flask

from authsvc import clock
from authsvc.mail.examples import example
from authsvc.mail.letter import Template
from authsvc.mail.messages import Messages
from authsvc.mail.template_check import check_templates
from authsvc.mail.template_files import TemplateFaulty
from authsvc.settings import SettingsInvalid
from tests.conftest import MakeApp
from tests.support.mailbox import APP_URL, Mailbox, html_of, text_of
from tests.support.people import Person

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
RESET = "Subject: {0}\n\n{0}\n\n{{{{ link }}}}\n"
TEST = "Subject: {0}\n\n{0}\n"
FORM = "the first line must be `Subject: …`, and the second one empty"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "mail"


@pytest.fixture
def write(folder: Path) -> Callable[[str, str], None]:
    """A function that writes a template."""

    def write(name: str, text: str) -> None:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    return write


@pytest.fixture
def faults(folder: Path) -> Callable[[], list[str]]:
    """A function that returns the faults that stop the boot, without the folder's path."""

    def faults() -> list[str]:
        with pytest.raises(SettingsInvalid) as caught:
            check_templates(messages(folder), folder)
        title, *lines = str(caught.value).replace(f"{folder}/", "").splitlines()
        assert title == "Invalid templates in AUTHSVC_MAIL_TEMPLATES:"
        return [line.removeprefix("  - ") for line in lines]

    return faults


Write = Callable[[str, str], None]
Faults = Callable[[], list[str]]


def messages(folder: Path, locale: str = "en") -> Messages:
    return Messages("Example <no-reply@example.com>", APP_URL, folder, locale)


def subject(made: Messages, locale: str | None = None, template: Template = "test") -> str:
    return str(made.render(example(template, locale), UUID(int=7), NOON)["Subject"])


def test_one_file_changes_one_message(folder: Path, write: Write) -> None:
    write("en/test.txt", "\N{BYTE ORDER MARK}" + TEST.format("Hello from {{ app_name }}"))
    made = messages(folder)
    check_templates(made, folder)
    assert subject(made) == "Hello from Example"
    assert subject(made, template="reset") == "Choose a new password for Example"


@pytest.mark.parametrize(
    ("reader", "setting", "found"),
    [
        ("de", "en", "de"),
        ("DE", "en", "de"),
        ("de-CH", "en", "de"),
        ("de-AT", "en", "de-at"),
        ("de-at-1996", "en", "de-at"),
        ("zh-Hant-TW", "en", "zh-Hant"),
        ("zh", "en", "en"),
        ("fr", "de-AT", "de-at"),
        ("fr", "de-CH", "de"),
        ("fr", "it", "en"),
        ("en-GB", "de", "en"),
        (None, "de", "de"),
        (None, "en", "en"),
        ("../mail/de", "en", "en"),
        ("..", "en", "en"),
        ("", "en", "en"),
    ],
)
def test_the_language_is_the_readers_or_else_that_of_the_setting(
    folder: Path, write: Write, reader: str | None, setting: str, found: str
) -> None:
    for language in ("de", "de-at", "zh-Hant", "en"):
        write(f"{language}/test.txt", TEST.format(language))
    write("../test.txt", TEST.format("outside"))
    mail = messages(folder, setting).render(example("test", reader), UUID(int=7), NOON)
    assert mail["Subject"] == mail["Content-Language"] == found
    assert f'<html lang="{found}" dir="ltr">' in html_of(mail)


def test_a_message_that_a_language_lacks_is_in_another_language(folder: Path, write: Write) -> None:
    write("de/test.txt", TEST.format("Probe"))
    write("de-AT/reset.txt", RESET.format("Passwort"))
    made = messages(folder)
    assert subject(made, "de-AT") == "Probe"
    assert subject(made, "de-AT", "reset") == "Passwort"
    assert subject(made, "de", "reset") == "Choose a new password for Example"


@pytest.mark.parametrize(
    ("locale", "direction"),
    [("he", "rtl"), ("ar-EG", "rtl"), ("pa-Arab", "rtl"), ("ku-Latn", "ltr"), ("de", "ltr")],
)
def test_the_html_has_the_direction_of_its_language(
    folder: Path, write: Write, locale: str, direction: str
) -> None:
    write(f"{locale}/reset.txt", RESET.format("..."))
    mail = messages(folder).render(example("reset", locale), UUID(int=7), NOON)
    assert f'lang="{locale}" dir="{direction}"' in html_of(mail)
    assert '<p class="url" dir="ltr">' in html_of(mail)


def test_a_layout_changes_the_html_of_all_messages(folder: Path, write: Write) -> None:
    write(
        "layout.html", "<h1>{{ subject }}</h1>{% for p in paragraphs %}<p>{{ p.link }}{% endfor %}"
    )
    made = messages(folder)
    check_templates(made, folder)
    mail = made.render(example("reset"), UUID(int=7), NOON)
    assert html_of(mail).startswith("<h1>Choose a new password for Example</h1><p>")
    assert "works once, for 30 minutes" in text_of(mail)


def test_a_message_may_have_html_of_its_own(folder: Path, write: Write) -> None:
    write("en/reset.html", '<a href="{{ link }}">{{ app_name }} &amp; {{ lang }}</a>')
    made = messages(folder)
    check_templates(made, folder)
    mail = made.render(example("reset", "en-GB"), UUID(int=7), NOON)
    assert re.fullmatch(r'<a href="https://\S+">Example &amp; en</a>\n+', html_of(mail))
    assert "works once, for 30 minutes" in text_of(mail)
    assert "<!doctype html>" in html_of(made.render(example("change"), UUID(int=7), NOON))


def test_the_label_of_the_button_is_above_the_link(folder: Path, write: Write) -> None:
    label = "Passwort wählen\N{NO-BREAK SPACE}:\n{{ link }}"
    write("de/reset.txt", f"Subject: a\n\n  {label}  \n\n\n\nzwei\nZeilen\n")
    mail = messages(folder).render(example("reset", "de"), UUID(int=7), NOON)
    assert text_of(mail).startswith("Passwort wählen\N{NO-BREAK SPACE}:\nhttps://")
    assert ">Passwort wählen</a></p>" in html_of(mail)
    assert "<p>zwei<br>Zeilen</p>" in html_of(mail)


def test_a_link_without_a_label_has_no_button(folder: Path, write: Write) -> None:
    write("en/reset.txt", RESET.format("..."))
    html = html_of(messages(folder).render(example("reset"), UUID(int=7), NOON))
    assert 'class="button"' not in html
    assert html.count("href=") == 1


def test_a_template_may_include_another_one(folder: Path, write: Write) -> None:
    write("de/_greeting.txt", "Viele Grüße")
    write("de/test.txt", TEST.format("{% include 'de/_greeting.txt' %}"))
    write("README.txt", "not a template")
    write(".git/test.txt", "not a template")
    write("assets/notes.txt", "not a template")
    write("de/logo.svg", "<svg/>")
    made = messages(folder)
    check_templates(made, folder)
    assert subject(made, "de") == "Viele Grüße"


FAULTY = {
    "aa": ("Subject: a\n\n{{ app_nmae }}", ", line 3: 'app_nmae' is undefined"),
    "bb": ("Subject: a\n\n\n{{ 1 / 0 }}", ", line 4: division by zero"),
    "cc": ("Subject: a\n{% if %}", ", line 2: Expected an expression, got"),
    "dd": ("{% include 'dd/b.txt' %}", ", line 1: there is no template dd/b.txt"),
    "ee": ("Subject: a\n\n{{ link }}", ", line 3: 'link' is undefined"),
    "ff": ("Hello\n\nYou", f": {FORM}"),
    "gg": ("Subject:\n\nYou", f": {FORM}"),
    "hh": ("Subject: a\nYou", f": {FORM}"),
    "ii": ("Subject: a\n\n", ": there is no text below the subject"),
}


def test_every_faulty_template_is_reported_with_its_line(write: Write, faults: Faults) -> None:
    for language, (text, _) in FAULTY.items():
        write(f"{language}/test.txt", text)
    expected = [f"{language}/test.txt{fault}" for language, (_, fault) in FAULTY.items()]
    for reported, start in zip(faults(), expected, strict=True):
        assert reported.startswith(start)


def test_a_fault_in_an_included_template_is_reported_there(write: Write, faults: Faults) -> None:
    write("de/_a.txt", "\n{% if %}")
    write("de/_b.txt", "{{ nothing }}")
    write("de/test.txt", TEST.format("{% include 'de/_a.txt' %}"))
    write("fr/test.txt", TEST.format("{% include 'de/_b.txt' %}"))
    assert faults() == [
        "de/_a.txt, line 2: Expected an expression, got 'end of statement block'",
        "de/_b.txt, line 1: 'nothing' is undefined",
    ]


@pytest.mark.parametrize(
    "text", ["Subject: a\n\nb", "Subject: a\n\nsee {{ link }}", RESET.format("{{ link }}") * 2]
)
def test_a_mail_must_show_its_link_once(write: Write, faults: Faults, text: str) -> None:
    write("de/reset.txt", text)
    assert faults() == ["de/reset.txt: one paragraph must end with the line `{{ link }}`"]


def test_html_must_show_the_link(write: Write, faults: Faults) -> None:
    write("layout.html", "<h1>{{ subject }}</h1>")
    write("en/change.html", "<h1>{{ subject }}</h1>")
    assert faults() == [
        "layout.html: it does not show the link",
        "en/change.html: it does not show the link",
    ]


def test_a_file_that_is_not_text_is_reported(folder: Path, write: Write, faults: Faults) -> None:
    write("de/test.txt", "")
    (folder / "de" / "test.txt").write_bytes(b"Subject: \xff")
    (fault,) = faults()
    assert fault.startswith("de/test.txt cannot be read: 'utf-8' codec can't decode byte 0xff")


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        (
            "de/rest.txt",
            "de/rest.txt is not named after a message: rename it, or begin its name with _",
        ),
        ("deutsch/test.txt", "deutsch must be named by a language tag, such as de or pt-BR"),
        ("de/test.html", "de/test.html needs test.txt beside it: write that too"),
    ],
)
def test_a_file_that_would_never_be_used_is_reported(
    write: Write, faults: Faults, name: str, fault: str
) -> None:
    write(name, "...")
    assert faults() == [fault]


@pytest.mark.once
def test_a_faulty_template_stops_the_boot(
    make_app: MakeApp, mail_settings: dict[str, str], folder: Path, write: Write
) -> None:
    write("de/test.txt", "Subject: {{ nothing }}")
    with pytest.raises(SettingsInvalid) as caught:
        make_app(**mail_settings, mail_templates=folder)
    assert str(caught.value).splitlines() == [
        "Invalid templates in AUTHSVC_MAIL_TEMPLATES:",
        f"  - {folder}/de/test.txt, line 1: 'nothing' is undefined",
    ]


@pytest.mark.once
def test_a_mail_waits_while_its_template_is_faulty(
    make_app: MakeApp,
    mail_settings: dict[str, str],
    mail_app: Flask,
    mailbox: Mailbox,
    folder: Path,
    write: Write,
) -> None:
    write("en/reset.txt", RESET.format("Before"))
    mailbox.app = app = make_app(**mail_settings, mail_templates=folder)
    alice = Person(app, "alice@example.com", "a horse that is correct").register()
    mailbox.deliver()
    write("en/reset.txt", RESET.format("{{ nothing }}"))
    alice.call("POST", "/auth/password/forgot", json={"email": alice.email})
    assert mailbox.deliver() == []
    write("en/reset.txt", RESET.format("After"))
    with time_machine.travel(clock.now() + timedelta(minutes=1), tick=False):
        assert mailbox.only()["Subject"] == "After"


def test_a_template_that_became_faulty_is_named(folder: Path, write: Write) -> None:
    write("en/test.txt", TEST.format("Hello"))
    made = messages(folder)
    assert subject(made) == "Hello"
    write("en/test.txt", TEST.format("{{ nothing }} "))
    with pytest.raises(TemplateFaulty, match=r"en/test\.txt, line 1: 'nothing' is undefined"):
        subject(made)
