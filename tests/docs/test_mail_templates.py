"""docs/mail-templates.md: its templates are used, and it names each message and each variable."""

import re
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import Environment, meta

from authsvc.mail.examples import TEMPLATES
from authsvc.mail.template_files import BUILT_IN
from tests.conftest import MakeApp
from tests.support.mailbox import Mailbox, html_of, text_of
from tests.support.people import Person
from tests.support.running_service import ROOT

DOC = (ROOT / "docs" / "mail-templates.md").read_text(encoding="utf-8")
OF_HTML = {"lang", "dir", "subject", "paragraphs"}


def listings() -> list[str]:
    return re.findall(r"^```jinja\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL)


def cells(title: str) -> list[list[str]]:
    """Return the rows of the table with that first column."""
    table = DOC.partition(f"| {title} |")[2].partition("\n\n")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines()[2:]]
    return [[cell.strip() for cell in row] for row in rows]


@pytest.mark.once
def test_a_german_mail_is_sent_with_the_templates_of_the_document(
    make_app: MakeApp,
    mail_settings: dict[str, str],
    mail_app: Flask,
    mailbox: Mailbox,
    tmp_path: Path,
) -> None:
    words, layout = listings()
    (tmp_path / "de").mkdir()
    (tmp_path / "de" / "reset.txt").write_text(words, encoding="utf-8")
    (tmp_path / "layout.html").write_text(layout, encoding="utf-8")
    mailbox.app = app = make_app(**mail_settings, mail_templates=tmp_path)
    alice = Person(app, "alice@example.com", "a horse that is correct")
    registered = alice.call("POST", "/auth/register", json=alice.credentials | {"locale": "de-AT"})
    assert registered.status_code == 201
    assert mailbox.only()["Content-Language"] == "en"
    alice.call("POST", "/auth/password/forgot", json={"email": alice.email})
    mail = mailbox.only()
    assert (mail["Subject"], mail["Content-Language"]) == ("Neues Passwort für Example", "de")
    assert "Neues Passwort wählen:\nhttps://app.example.com/reset-password#" in text_of(mail)
    assert re.search(r'<p><a href="https\S+">Neues Passwort wählen</a></p>', html_of(mail))
    assert html_of(mail).startswith('<!doctype html>\n<html lang="de" dir="ltr">')


def test_the_document_names_each_message_and_its_variables() -> None:
    common = {"app_name", "app_url", "email", "at"}
    rows = cells("message")
    assert [row[0].strip("`") for row in rows] == list(TEMPLATES)
    own: set[str] = set()
    for name, _, variables in rows:
        if variables != "the same":
            own = set(re.findall(r"`(\w+)`", variables))
        text = (BUILT_IN / "en" / f"{name.strip('`')}.txt").read_text(encoding="utf-8")
        assert meta.find_undeclared_variables(Environment().parse(text)) <= common | own


def test_the_document_explains_each_variable() -> None:
    explained = {name for row in cells("variable") for name in re.findall(r"`(\w+)`", row[0])}
    used = {name for row in cells("message") for name in re.findall(r"`(\w+)`", row[2])}
    assert explained == used | {"app_name", "app_url", "email", "at"}
    layout = (BUILT_IN / "layout.html").read_text(encoding="utf-8")
    assert meta.find_undeclared_variables(Environment().parse(layout)) <= OF_HTML | explained
