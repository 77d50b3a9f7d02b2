"""What public() can mark: views of each kind, each for itself; and what it refuses."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import pytest
from flask import Blueprint, Flask, Response
from flask.views import MethodView, View

from authsvc.guard import public
from authsvc.guard.access_token import is_public
from tests.support.guard_calls import assert_protected, call, elsewhere


class Notes:
    """An object whose methods are views, as extensions have them."""

    def index(self) -> str:
        return "index"

    def other(self) -> str:
        return "other"

    @public
    def opened(self) -> str:
        return "opened"

    @classmethod
    def of_the_class(cls) -> str:
        return "of the class"

    @classmethod
    def another(cls) -> str:
        return "another"


@pytest.fixture
def app() -> Flask:
    return elsewhere()


def test_a_bound_method_is_public_of_its_object_alone(app: Flask) -> None:
    mine, other = Notes(), Notes()
    for name, notes in (("mine", mine), ("other", other)):
        app.add_url_rule(f"/{name}", name, notes.index)
        app.add_url_rule(f"/{name}/other", f"{name}_other", notes.other)
    public(app.view_functions["mine"])
    assert call(app, "GET", "/mine").text == "index"
    for path in ("/mine/other", "/other", "/other/other"):
        assert_protected(app, path)
    public(mine.other)
    assert call(app, "GET", "/mine").text == "index"
    assert call(app, "GET", "/mine/other").text == "other"


def test_a_method_that_its_class_marks_is_public_of_every_object(app: Flask) -> None:
    app.add_url_rule("/opened", "opened", Notes().opened)
    assert call(app, "GET", "/opened").text == "opened"


def test_a_class_method_is_public_of_its_class_alone(app: Flask) -> None:
    class Special(Notes):
        """Has the same class methods."""

    class Other(Notes):
        """Has them too."""

    app.add_url_rule("/notes", "notes", Notes.of_the_class)
    app.add_url_rule("/special", "special", Special.of_the_class)
    app.add_url_rule("/another", "another", Special.another)
    app.add_url_rule("/other", "other", Other.of_the_class)
    public(app.view_functions["notes"])
    public(app.view_functions["another"])
    assert call(app, "GET", "/notes").text == "of the class"
    assert call(app, "GET", "/another").text == "another"
    for path in ("/special", "/other"):
        assert_protected(app, path)


def test_the_static_files_of_one_blueprint_can_be_made_public(app: Flask, tmp_path: Any) -> None:
    (tmp_path / "a.txt").write_text("text")
    for name in ("one", "two"):
        folder = {"static_folder": str(tmp_path), "static_url_path": "/static"}
        own = Blueprint(name, __name__, url_prefix=f"/{name}", **folder)
        app.register_blueprint(own)
    public(app.view_functions["one.static"])
    assert call(app, "GET", "/one/static/a.txt").text == "text"
    assert_protected(app, "/two/static/a.txt")
    assert_protected(app, "/static/a.txt")


class Twice(MethodView):
    def get(self) -> str:
        return "twice"


def test_one_of_two_views_of_a_class_can_be_made_public(app: Flask) -> None:
    app.add_url_rule("/closed", view_func=Twice.as_view("closed"))
    app.add_url_rule("/opened", view_func=public(Twice.as_view("opened")))
    app.add_url_rule("/late", view_func=Twice.as_view("late"))
    public(app.view_functions["late"])
    for path in ("/opened", "/late"):
        assert call(app, "GET", path).text == "twice"
    assert_protected(app, "/closed")


class MarkedInside(MethodView):
    @public
    def get(self) -> str:
        return "marked inside"


def test_a_mark_on_a_method_of_a_class_based_view_opens_nothing(app: Flask) -> None:
    app.add_url_rule("/inside", view_func=MarkedInside.as_view("inside"))
    assert_protected(app, "/inside")


class WithCall:
    def __call__(self) -> str:
        return "called"


@pytest.mark.parametrize("make", [WithCall, lambda: partial(lambda text: text, "partial")])
def test_a_callable_object_is_public_for_itself(app: Flask, make: Callable[[], Any]) -> None:
    app.add_url_rule("/one", "one", make())
    app.add_url_rule("/two", "two", make())
    public(app.view_functions["one"])
    assert call(app, "GET", "/one").text in ("called", "partial")
    assert_protected(app, "/two")


class Slotted:
    __slots__ = ()

    def index(self) -> str:
        return "index"


@pytest.mark.parametrize("view", [Slotted().index, "text".upper, len])
def test_what_cannot_be_marked_is_refused_with_the_way_out(view: Any) -> None:
    with pytest.raises(TypeError, match="register a function that calls it, and mark that"):
        public(view)
    assert not is_public(view)


@pytest.mark.parametrize("wrong", ["static", None, Response("text"), ("a", "b"), 1])
def test_what_is_not_a_view_is_refused(wrong: Any) -> None:
    """A Response is callable, since it is a WSGI application."""
    with pytest.raises(TypeError, match=r"write public\(app.view_functions\[\"endpoint\"\]\)"):
        public(wrong)


def test_an_app_or_a_blueprint_is_refused() -> None:
    for scaffold in (Flask("x"), Blueprint("x", __name__)):
        with pytest.raises(TypeError, match="public takes a view function"):
            public(scaffold)


@pytest.mark.parametrize("kind", [Twice, View, Notes])
def test_a_class_is_refused(kind: Any) -> None:
    with pytest.raises(TypeError, match=r"write `decorators = \(public,\)` into the class"):
        public(kind)


def wrapped(view: Callable[[], str]) -> Callable[[], str]:
    @wraps(view)
    def wrapper() -> str:
        return view()

    return wrapper


def test_a_decorator_above_the_mark_keeps_it(app: Flask) -> None:
    app.get("/")(wrapped(public(lambda: "open")))
    assert call(app, "GET", "/").text == "open"


def test_a_mark_on_a_function_that_was_wrapped_before_opens_nothing_and_is_logged(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    """It may be the view of another route, which the wrapper protects."""

    def view() -> str:
        return "closed"

    app.get("/", endpoint="late")(wrapped(view))
    app.get("/other", endpoint="other")(lambda: "other")
    public(view)
    for _ in range(2):
        assert_protected(app, "/")
        assert_protected(app, "/other")
    [line] = [line for line in caplog.messages if "public" in line]
    assert line == (
        "The route 'late' needs an access token, although a function inside its view is marked "
        "public: mark the view itself, public(app.view_functions['late'])."
    )
