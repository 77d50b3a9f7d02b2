"""URLs that an operator's code builds with `url_for`: as in any Flask app."""

from collections.abc import Callable
from types import CodeType
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask, url_for
from werkzeug.routing import Rule

from authsvc.guard import public
from authsvc.web.flask_app import Service

RULES = ["/", "/notes/<int:number>", "/files/<path:file>", "/<lang>/<rule>/"]
VALUES: list[dict[str, Any]] = [
    {"endpoint": RULES[0]},
    {"endpoint": RULES[0], "rule": "a b", "self": 1},
    {"endpoint": RULES[1], "number": 7, "page": [1, 2]},
    {"endpoint": RULES[2], "file": "a/ä?.txt", "_anchor": "top"},
    {"endpoint": RULES[3], "lang": "de", "rule": "x/y", "_external": True},
    {"endpoint": "defaulted", "number": 3},
    {"endpoint": "defaulted"},
]


def with_rules(app: Flask) -> Flask:
    for rule in RULES:
        app.add_url_rule(rule, rule, public(lambda **values: values))
    app.add_url_rule("/pages/<int:number>", "defaulted", public(lambda **values: values))
    app.add_url_rule("/pages/", "defaulted", defaults={"number": 1})
    return app


@pytest.mark.parametrize("values", VALUES, ids=range(len(VALUES)))
def test_urls_are_built_as_by_flask(values: dict[str, Any]) -> None:
    built = []
    for app in (with_rules(Flask("plain")), with_rules(Service("service"))):
        with app.test_request_context():
            built += [url_for(**values), url_for(**values)]
    assert len(set(built)) == 1


def test_a_path_of_default_values_is_redirected_as_by_flask() -> None:
    for app in (Flask("plain"), Service("service")):
        answer = with_rules(app).test_client().get("/pages/1")
        assert urlsplit(answer.location).path == "/pages/"


def test_a_rule_compiles_no_builder_before_a_url_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    compile_code = Rule._get_func_code

    def count(code: CodeType, name: str) -> Callable[..., tuple[str, str]]:
        compiled.append(name)
        return compile_code(code, name)

    monkeypatch.setattr(Rule, "_get_func_code", staticmethod(count))
    app = with_rules(Service("service"))
    assert app.test_client().get("/notes/7").json == {"number": 7}
    assert compiled == []
    with app.test_request_context():
        assert url_for(RULES[1], number=7) == "/notes/7"
    assert len(compiled) == 1
