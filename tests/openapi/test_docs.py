"""GET /docs: the page for people."""

import re
from html.parser import HTMLParser

import pytest
from flask import Flask

from authsvc.web.outputs import answers
from tests.conftest import MakeApp
from tests.support.api_description import Description
from tests.web.test_problems import DOCUMENTED


class Elements(HTMLParser):
    """The ids of a page's elements, where its links lead, what it loads, and its inline code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.inline: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "a":
            self.links.add(attributes["href"])
        self.loaded |= {attributes[name] for name in ("src",) if name in attributes}
        if tag == "link":
            self.loaded.add(attributes["href"])
        self.inline |= {name for name in attributes if name == "style" or name.startswith("on")}
        self.inline |= {tag} & {"style", "script"}


@pytest.fixture
def page(app: Flask) -> Elements:
    return Elements(app.test_client().get("/docs").text)


def test_the_type_of_each_problem_links_to_its_explanation(app: Flask, page: Elements) -> None:
    type_ = app.test_client().get("/nowhere").json["type"]
    path, _, place = type_.partition("#")
    assert (path, place in page.ids) == ("/docs", True)
    assert {code for _, code in DOCUMENTED} <= set(page.ids)


def test_each_operation_has_an_anchor(app: Flask, page: Elements) -> None:
    named = {one.description["operationId"] for one in Description(app).operations}
    assert named <= set(page.ids)


def test_anchors_are_unique_and_every_link_resolves(app: Flask, page: Elements) -> None:
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    for link in page.links | page.loaded:
        if not link.startswith("#"):
            assert app.test_client().get(f"/{link}").status_code == 200


def test_the_page_loads_nothing_from_other_hosts_and_has_nothing_inline(
    app: Flask, page: Elements
) -> None:
    assert page.inline == set()
    assert page.loaded == {"docs/icon.svg", "docs/look.css", "docs/docs.css"}
    policy = app.test_client().get("/docs").headers["Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives.pop("default-src") == "'none'"
    assert set(directives.values()) == {"'self'", "'none'"}
    for name in ("docs.css", "look.css"):
        assert not re.search(r"url\(|@import", app.test_client().get(f"/docs/{name}").text)


def test_docstrings_are_escaped(make_app: MakeApp) -> None:
    def view() -> list[str]:
        """<script>alert(1)</script>

        <script>alert(2)</script> `<script>alert(3)</script>` & more
        """
        return []

    app = make_app()
    app.add_url_rule("/notes", view_func=answers(200)(view))
    text = app.test_client().get("/docs").text
    assert Elements(text).inline == set()
    assert all(f"&lt;script&gt;alert({number})&lt;/script&gt;" in text for number in (1, 2, 3))


def test_the_examples_use_the_issuer(make_app: MakeApp) -> None:
    text = make_app(issuer="https://auth.example.com").test_client().get("/docs").text
    assert "AUTH=https://auth.example.com\n" in text


def test_the_response_is_revalidated_by_its_etag(app: Flask) -> None:
    client = app.test_client()
    first = client.get("/docs")
    again = client.get("/docs", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]
