"""The pages about performance: each command writes the blocks between its markers, and no more."""

from pathlib import Path

from bench import ROOT

PAGE = ROOT / "docs" / "performance.md"
"""Results."""
METHOD = ROOT / "docs" / "performance-method.md"
"""How they are measured, and details."""


def begin_marker(command: str) -> str:
    return f"<!-- {command} writes from here -->"


def end_marker(command: str) -> str:
    return f"<!-- {command} writes to here -->"


def read_block(page: Path, *, command: str) -> str:
    """Return the block between the command's markers.

    Raises:
        ValueError: the page does not have the markers.
    """
    return _split(page, command)[1].strip()


def write_block(page: Path, block: str, *, command: str) -> None:
    """Replace the block between the command's markers.

    Args:
        page: one of this module.
        block: in Markdown.
        command: named by the markers.

    Raises:
        ValueError: the page does not have the markers.
    """
    before, _, after = _split(page, command)
    page.write_text(f"{before}\n\n{block}\n\n{after}")


def _split(page: Path, command: str) -> tuple[str, str, str]:
    """Return the text up to the end of the first marker, the block, and the rest."""
    begin, end = begin_marker(command), end_marker(command)
    before, found_begin, rest = page.read_text().partition(begin)
    block, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError(f"{page} has no line {begin} with a line {end} below it")
    return before + begin, block, end + after
