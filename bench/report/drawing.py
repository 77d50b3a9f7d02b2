"""Draw charts with matplotlib. This is the only module that imports it."""

from pathlib import Path

import matplotlib as mpl
import matplotlib.rcsetup as rcsetup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from bench.report.charts import BarChart, LineChart, Panel

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#555555")
"""Distinguishable with colour blindness too (Okabe and Ito)."""
PLAIN, HIGHLIGHTED = COLOURS[:2]
WIDTH = 7.6
"""Inches."""

mpl.rcParams.update(
    {
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": "authsvc",  # the same chart is the same file
        "font.size": 9,
        "axes.titlesize": "medium",
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": rcsetup.cycler(color=COLOURS),
        "grid.color": "#dddddd",
    }
)


def draw(chart: BarChart | LineChart, file: Path) -> None:
    """Draw a chart into an SVG file."""
    figure = _bars(chart) if isinstance(chart, BarChart) else _lines(chart)
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})


def _bars(chart: BarChart) -> Figure:
    figure = Figure(figsize=(WIDTH, 0.6 + 0.3 * len(chart.bars)), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(
        [bar.name for bar in chart.bars],
        [bar.length for bar in chart.bars],
        height=0.6,
        xerr=list(zip(*(bar.error for bar in chart.bars), strict=True)),
        color=[HIGHLIGHTED if bar.highlighted else PLAIN for bar in chart.bars],
    )
    axes.bar_label(bars, labels=[f"{bar.length:,.0f}" for bar in chart.bars], padding=4)
    axes.invert_yaxis()
    axes.set_title(chart.title)
    axes.xaxis.set_visible(False)
    axes.spines[["bottom", "left"]].set_visible(False)
    axes.tick_params(left=False)
    axes.margins(x=0.1)
    return figure


def _lines(chart: LineChart) -> Figure:
    figure = Figure(figsize=(WIDTH, 0.6 + 2.2 * len(chart.panels)), layout="constrained")
    every_axes = figure.subplots(len(chart.panels), sharex=True, squeeze=False)[:, 0]
    for axes, panel in zip(every_axes, chart.panels, strict=True):
        _panel(axes, panel)
    lowest = every_axes[-1]
    lowest.set_xlabel(chart.x_title)
    if chart.logarithmic_x:
        lowest.set_xscale("log")
        lowest.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    else:
        lowest.set_xlim(left=0)
    return figure


def _panel(axes: Axes, panel: Panel) -> None:
    for line in panel.lines:
        axes.plot(line.x, line.y, label=line.name)
    axes.set_title(panel.title)
    axes.grid(axis="y")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    axes.set_ylim(0, panel.max_y)
