"""Check the operator's templates at boot, so that a fault stops it and not a mail."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from authsvc import clock
from authsvc.locales import is_locale
from authsvc.mail.examples import TEMPLATES, example
from authsvc.mail.messages import Messages
from authsvc.mail.template_files import BUILT_IN, TemplateFaulty
from authsvc.settings import PREFIX, SettingsInvalid


def check_templates(messages: Messages, folder: Path) -> None:
    """Render each message in each language with example values.

    Args:
        messages: renders with these templates.
        folder: the operator's templates.

    Raises:
        SettingsInvalid: with every fault, each with its file and line.
    """
    faults = dict.fromkeys([*_misplaced(folder), *_faulty(messages)])  # of one layout, one fault
    if faults:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        raise SettingsInvalid(f"Invalid templates in {PREFIX}MAIL_TEMPLATES:\n{lines}")


def _faulty(messages: Messages) -> Iterator[str]:
    for language in messages.languages:
        for template in TEMPLATES:
            try:
                messages.render(example(template, language), UUID(int=0), clock.now())
            except TemplateFaulty as error:
                yield str(error)


def _misplaced(folder: Path) -> Iterator[str]:
    """Yield the faults of files that are never used. Others may include those that begin with _."""
    for file in sorted(folder.glob("*/*")):
        is_ours, is_template = file.stem in TEMPLATES, file.suffix in (".txt", ".html")
        if not is_template or file.parent.name.startswith(".") or file.name.startswith(("_", ".")):
            continue
        if not is_locale(file.parent.name):
            if is_ours:
                yield f"{file.parent} must be named by a language tag, such as de or pt-BR"
        elif not is_ours:
            yield f"{file} is not named after a message: rename it, or begin its name with _"
        elif not (file.with_suffix(".txt").exists() or _built_in(file).exists()):
            yield f"{file} needs {file.stem}.txt beside it: write that too"


def _built_in(file: Path) -> Path:
    return BUILT_IN / file.parent.name / f"{file.stem}.txt"
