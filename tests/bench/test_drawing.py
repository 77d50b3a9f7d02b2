"""The charts as matplotlib draws them. `make soak` installs matplotlib and runs this."""

import re
from pathlib import Path
from xml.etree import ElementTree

from bench.report.charts import Bar, BarChart, Line, LineChart, Panel
from bench.report.drawing import HIGHLIGHTED, PLAIN, draw

SVG = "{http://www.w3.org/2000/svg}"
BARS = BarChart("R&D", [Bar("slow", [2, 2, 2]), Bar("fast", [1, 4, 8], highlighted=True)])


def drawn(chart: BarChart | LineChart, folder: Path) -> ElementTree.Element:
    draw(chart, folder / "chart.svg")
    return ElementTree.parse(folder / "chart.svg").getroot()


def widths(picture: ElementTree.Element, colour: str) -> list[float]:
    """Return the widths of the shapes that are filled with a colour."""
    shapes = [one for one in picture.iter(f"{SVG}path") if colour in one.get("style", "")]
    points = [[float(x) for x in re.findall(r"[ML] ([\d.]+)", one.attrib["d"])] for one in shapes]
    return [max(each) - min(each) for each in points]


def test_a_drawn_bar_is_as_long_as_the_median_of_its_rounds(tmp_path: Path) -> None:
    picture = drawn(BARS, tmp_path)
    [slow], [fast] = widths(picture, f"fill: {PLAIN}"), widths(picture, f"fill: {HIGHLIGHTED}")
    assert abs(fast - 2 * slow) < 0.01 * slow
    text = "".join(picture.itertext())
    assert all(words in text for words in ("R&D", "slow", "fast"))


def test_a_drawn_line_chart_names_its_panels_its_lines_and_its_axis(tmp_path: Path) -> None:
    lines = [Line("worker 1", [1, 60], [80, 81]), Line("worker 2", [1, 60], [79, 82])]
    picture = drawn(LineChart("minutes", [Panel("memory", lines), Panel("rest", lines)]), tmp_path)
    text = "".join(picture.itertext())
    assert all(words in text for words in ("minutes", "memory", "rest", "worker 1", "worker 2"))


def test_a_logarithmic_axis_is_labelled_with_plain_numbers(tmp_path: Path) -> None:
    panel = Panel("ms", [Line("refresh", [1_000, 10_000_000], [0.1, 10])])
    text = "".join(drawn(LineChart("rows", [panel], logarithmic_x=True), tmp_path).itertext())
    assert all(words in text for words in ("1,000", "100,000", "10,000,000"))


def test_the_same_chart_is_the_same_file(tmp_path: Path) -> None:
    draw(BARS, tmp_path / "one.svg")
    draw(BARS, tmp_path / "two.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
