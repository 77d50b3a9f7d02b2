"""A plot of bars, one for each peer, with a line from its slowest round to its fastest."""

from dataclasses import dataclass
from statistics import median

from bench.report.svg import COLOURS, Picture

WIDTH = 760
ROW = 28
THICK = 16
NAMES = 350
NUMBERS = 70
HEAD = 44


@dataclass(frozen=True)
class Bar:
    """
    Args:
        name: of the peer.
        rounds: its figure in each round; the bar is as long as their median.
        ours: whether it stands out.
    """

    name: str
    rounds: list[float]
    ours: bool = False


def bars(title: str, rows: list[Bar]) -> str:
    """The plot, as SVG."""
    picture = Picture(WIDTH, HEAD + ROW * len(rows) + ROW // 2)
    longest = max((max(row.rounds) for row in rows), default=0) or 1
    scale = (WIDTH - NAMES - NUMBERS) / longest
    picture.text(ROW / 2, HEAD / 2, title)
    for number, row in enumerate(rows):
        top = HEAD + ROW * number
        middle, base = top + THICK / 2, top + THICK - 4
        length = median(row.rounds) * scale
        picture.text(NAMES - 8, base, row.name, anchor="end")
        picture.bar(NAMES, top, length, THICK, fill=COLOURS[1] if row.ours else COLOURS[0])
        ends = [(NAMES + figure * scale, middle) for figure in (min(row.rounds), max(row.rounds))]
        picture.line(ends, stroke="black")
        picture.text(max(ends[1][0], NAMES + length) + 6, base, f"{median(row.rounds):,.0f}")
    return picture.render()
