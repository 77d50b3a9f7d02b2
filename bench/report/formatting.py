"""Numbers and tables in Markdown, as all blocks write them."""

from collections.abc import Iterable, Sequence
from math import inf

TEXT_COLUMNS = ("", "goal", "server")


def short(figure: float) -> str:
    """Return at least three significant digits; "never" for a time that is infinite."""
    if figure == inf:
        return "never"
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def ratio(figure: float) -> str:
    """Return two significant digits, or all before the point."""
    return f"{figure:.0f}" if figure >= 10 else f"{figure:.1f}" if figure >= 1 else f"{figure:.2f}"


def span(figures: Sequence[float]) -> str:
    """Return the least and the most of the rounds."""
    return f"{short(min(figures))} to {short(max(figures))}"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose first column has no heading. Columns of figures are right-aligned."""
    rules = ["---" if column in TEXT_COLUMNS else "---:" for column in columns]
    lines = [("", *columns), ("---", *rules), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def listed(names: Sequence[str]) -> str:
    """Return the names as words: "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
