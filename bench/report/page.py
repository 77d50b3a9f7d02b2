"""docs/performance.md: each command writes the block between its two markers, and nothing else."""

from pathlib import Path

from bench import ROOT

PAGE = ROOT / "docs" / "performance.md"


def begin_marker(command: str) -> str:
    return f"<!-- {command} writes from here -->"


def end_marker(command: str) -> str:
    return f"<!-- {command} writes to here -->"


def write_block(page: Path, block: str, *, command: str) -> None:
    """Replace the block between the command's markers.

    Args:
        page: docs/performance.md, which has the blocks of several commands.
        block: in Markdown.
        command: named by the markers.

    Raises:
        ValueError: the page does not have the markers.
    """
    begin, end = begin_marker(command), end_marker(command)
    before, found_begin, rest = page.read_text().partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise ValueError(f"{page} has no line {begin} with a line {end} below it")
    page.write_text(f"{before}{begin}\n\n{block}\n\n{end}{after}")
