"""Find a template in the operator's folder, or else among those built in, and render it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from traceback import extract_tb
from typing import Any

import jinja2

from authsvc.locales import fallbacks, is_locale

BUILT_IN = Path(__file__).with_name("templates")
BUILT_IN_LOCALE = "en"
LAYOUT = "layout.html"


class TemplateFaulty(Exception):
    """A template cannot be rendered; the message names the file, the line and the fault."""


class TemplateFiles:
    """The templates of all messages. Each file of the operator's takes the place of one built in.

    Args:
        folder: the operator's templates; None if there are none.
    """

    def __init__(self, folder: Path | None) -> None:
        folders = [BUILT_IN] if folder is None else [folder, BUILT_IN]
        self.languages = [
            path.name
            for folder in folders
            for path in sorted(folder.iterdir())
            if path.is_dir() and is_locale(path.name)
        ]
        """The names of the folders that hold a language, the operator's first."""
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folders, encoding="utf-8-sig"),
            autoescape=jinja2.select_autoescape(["html"]),
            undefined=jinja2.StrictUndefined,
        )

    def named(self, file: str, locales: Iterable[str]) -> list[str]:
        """Return the names that a file may have, in the order in which they are looked for.

        Args:
            file: such as ``reset.txt``.
            locales: the languages that are wanted; each is followed by the wider ones.
        """
        wanted = [wider for locale in locales for wider in fallbacks(locale)]
        return [
            f"{language}/{file}"
            for locale in wanted
            for language in self.languages
            if language.lower() == locale
        ]

    def first(self, names: Iterable[str]) -> jinja2.Template:
        """Return the first template that exists; the last one must.

        Raises:
            TemplateFaulty: it is not a template.
        """
        *others, last = names
        for name in others:
            try:
                return self._load(name)
            except jinja2.TemplateNotFound:
                continue
        return self._load(last)

    def _load(self, name: str) -> jinja2.Template:
        try:
            return self._environment.get_template(name)
        except jinja2.TemplateNotFound:
            raise
        except jinja2.TemplateSyntaxError as error:
            raise TemplateFaulty(_syntax(error)) from error
        except (OSError, UnicodeDecodeError) as error:
            raise TemplateFaulty(f"{name} cannot be read: {error}") from error


def render(template: jinja2.Template, values: Mapping[str, Any]) -> str:
    """Return the text of a template.

    Raises:
        TemplateFaulty: it uses an unknown variable, or does what cannot be done.
    """
    try:
        return template.render(values)
    except jinja2.TemplateSyntaxError as error:  # of a template that this one includes
        raise TemplateFaulty(_syntax(error)) from error
    except Exception as error:
        # jinja2 rewrites tracebacks, so that their frames name the lines of the templates.
        place = str(template.filename)
        for frame in extract_tb(error.__traceback__):
            if frame.filename.endswith((".txt", ".html")):
                place = f"{frame.filename}, line {frame.lineno}"
        missing = error.name if isinstance(error, jinja2.TemplateNotFound) else None
        fault = f"there is no template {missing}" if missing else str(error)
        raise TemplateFaulty(f"{place}: {fault}") from error


def _syntax(error: jinja2.TemplateSyntaxError) -> str:
    return f"{error.filename}, line {error.lineno}: {error.message}"
