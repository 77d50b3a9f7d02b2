"""What a chart shows. bench/report/drawing.py draws it."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Bar:
    """One server.

    Args:
        name: of the server.
        rounds: its figure in each round.
        highlighted: whether it stands out.
    """

    name: str
    rounds: Sequence[float]
    highlighted: bool = False

    @property
    def length(self) -> float:
        return median(self.rounds)

    @property
    def error(self) -> tuple[float, float]:
        """How far the slowest and the fastest round are from the median."""
        return self.length - min(self.rounds), max(self.rounds) - self.length


@dataclass(frozen=True)
class BarChart:
    """Horizontal bars, from the top down, as long as the medians of their rounds."""

    title: str
    bars: Sequence[Bar]


@dataclass(frozen=True)
class Line:
    """One line, with a name for the legend."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Panel:
    """Lines on the same axes.

    Args:
        title: of the panel, with the unit of its y axis.
        lines: what it shows.
        max_y: where the y axis ends, if single values above it may be cut off.
    """

    title: str
    lines: Sequence[Line]
    max_y: float | None = None


@dataclass(frozen=True)
class LineChart:
    """Panels below each other, with the same x axis. The y axes begin at zero.

    Args:
        x_title: of the x axis, with its unit.
        panels: from the top down.
        logarithmic_x: whether the x axis is logarithmic; otherwise it begins at zero.
    """

    x_title: str
    panels: Sequence[Panel]
    logarithmic_x: bool = False
