"""Read the text of a message: its subject and its paragraphs."""

import re
from dataclasses import dataclass

_SUBJECT = "Subject:"


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of a message.

    Args:
        lines: its lines; those above a link are the label of its button.
        link: the URL that the paragraph ends with, on a line of its own.
    """

    lines: tuple[str, ...]
    link: str | None = None


@dataclass(frozen=True)
class Written:
    """What a message says.

    Args:
        subject: the Subject header.
        text: the body in plain text.
        paragraphs: the same body, for HTML.
    """

    subject: str
    text: str
    paragraphs: tuple[Paragraph, ...]


def read(text: str, link: str | None) -> Written:
    """Return what a rendered text says.

    Args:
        text: ``Subject: …``, an empty line, and paragraphs with empty lines between them.
        link: the URL that it must show, once, on a line of its own.

    Raises:
        ValueError: it has another form; the message says which.
    """
    head, _, body = text.strip().partition("\n")
    subject = head.removeprefix(_SUBJECT).strip()
    blocks = [block.strip() for block in re.split(r"\n\s*\n", body) if block.strip()]
    if not head.startswith(_SUBJECT) or not subject or body.partition("\n")[0].strip():
        raise ValueError(f"the first line must be `{_SUBJECT} …`, and the second one empty")
    if not blocks:
        raise ValueError("there is no text below the subject")
    paragraphs = tuple(_paragraph(block, link) for block in blocks)
    if link is not None and sum(paragraph.link is not None for paragraph in paragraphs) != 1:
        raise ValueError("one paragraph must end with the line `{{ link }}`")
    return Written(subject, "\n\n".join(blocks) + "\n", paragraphs)


def _paragraph(block: str, link: str | None) -> Paragraph:
    *label, last = (line.strip() for line in block.split("\n"))
    if last != link:
        return Paragraph((*label, last))
    if label:
        label[-1] = label[-1].rstrip(" :\N{NO-BREAK SPACE}\N{FULLWIDTH COLON}")
    return Paragraph(tuple(label), link)
