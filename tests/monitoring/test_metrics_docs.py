"""The dashboard, the alerts and their table have every metric, and no other."""

import json
import re

import pytest

from tests.conftest import MakeApp
from tests.monitoring.exposition import figures
from tests.support.people import Person
from tests.support.running_service import ROOT

OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
DASHBOARD = json.loads((ROOT / "docs" / "grafana.json").read_text(encoding="utf-8"))
SERIES = re.compile(r"(authsvc_\w+)(?:\{([^}]*)\})?")
OF_PROMETHEUS = {"instance", "le"}


def queries() -> list[str]:
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def alerts() -> str:
    (section,) = re.findall(r"^    groups:\n(.*?)(?=^## )", OPERATIONS, re.MULTILINE | re.DOTALL)
    return str(section)


@pytest.fixture
def metrics(alice: Person, make_app: MakeApp) -> dict[str, set[str]]:
    """Return each metric's name with its labels."""
    alice.app = make_app()  # it has not seen a proxy, as the shared app may have
    alice.logged_in().call("GET", "/nowhere")
    found: dict[str, set[str]] = {}
    for series in figures(alice.call("GET", "/metrics").text):
        name, _, labels = series.partition("{")
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return found


def families(metrics: dict[str, set[str]]) -> set[str]:
    names = {name for name in metrics if not name.endswith("_created")}
    return {re.sub("_(bucket|count|sum)$", "", name) for name in names}


@pytest.mark.parametrize("query", [*queries(), alerts()])
def test_each_query_uses_metrics_that_exist(metrics: dict[str, set[str]], query: str) -> None:
    asked = SERIES.findall(query)
    assert asked
    for name, selectors in asked:
        assert name in metrics
        assert set(re.findall(r"(\w+)=", selectors)) <= metrics[name] | OF_PROMETHEUS
    for labels in re.findall(r"by \(([^)]*)\)", query):
        assert set(labels.split(", ")) <= metrics[asked[0][0]] | OF_PROMETHEUS


def test_the_dashboard_and_the_table_have_every_metric(metrics: dict[str, set[str]]) -> None:
    shown = {name for query in queries() for name, _ in SERIES.findall(query)}
    assert {re.sub("_(bucket|count|sum)$", "", name) for name in shown} == families(metrics)
    rows = re.findall(r"^\| `(authsvc_\w+)` \| ([^|]*)\|", OPERATIONS, re.MULTILINE)
    assert {name for name, _ in rows} == families(metrics)
    for name, labels in rows:
        of_histogram = metrics.get(f"{name}_count", set())
        assert set(re.findall(r"`(\w+)`", labels)) == metrics.get(name, of_histogram)


def test_grafana_can_import_the_dashboard() -> None:
    panels, (source,) = DASHBOARD["panels"], DASHBOARD["__inputs"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(panels)
    asking = [*panels, *DASHBOARD["templating"]["list"]]
    asking += [target for panel in panels for target in panel["targets"]]
    assert {part["datasource"]["uid"] for part in asking} == {f"${{{source['name']}}}"}
