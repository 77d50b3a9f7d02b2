"""Parse docstrings for the API's description."""

import re
from dataclasses import dataclass
from inspect import cleandoc

_SECTION = re.compile(r"^(?:Args|Raises):", re.MULTILINE)
_ARGUMENT = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


@dataclass(frozen=True)
class Docstring:
    """A docstring's parts.

    Args:
        summary: its first sentence, without the full stop.
        text: the paragraphs after it.
        arguments: the meaning of each of its `Args`.
    """

    summary: str
    text: str
    arguments: dict[str, str]

    @classmethod
    def of(cls, docstring: str | None) -> "Docstring":
        text = cleandoc(docstring or "")
        prose, *sections = _SECTION.split(text)
        first, _, rest = prose.partition("\n\n")
        arguments = _ARGUMENT.findall("".join(sections))
        return cls(
            " ".join(first.split()).removesuffix("."),
            "\n\n".join(" ".join(paragraph.split()) for paragraph in rest.split("\n\n")).strip(),
            {name: _sentence(meaning) for name, meaning in arguments},
        )


def _sentence(text: str) -> str:
    joined = " ".join(text.split())
    return joined[:1].upper() + joined[1:]
