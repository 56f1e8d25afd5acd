#!/usr/bin/env python3
"""Checks the form of contrib/grafana: what Grafana 10 needs to import a file.

usage: dashboards.py

Each dashboard has one data source variable, a host variable and no fixed ids;
panels have ids of their own, a description and a query, and do not overlap.
"""

import json
import sys
from pathlib import Path

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
FOLDER = Path(__file__).resolve().parents[2] / "contrib/grafana"
WIDTH = 24
# The schema of Grafana 10.0, which later releases migrate.
SCHEMA = 38


def cells(panel):
    """The cells of the grid that a panel covers."""
    grid = panel["gridPos"]
    columns = range(grid["x"], grid["x"] + grid["w"])
    return {(x, y) for x in columns for y in range(grid["y"], grid["y"] + grid["h"])}


def check_panel(panel, wrong):
    """What is wrong with a panel, apart from its neighbours."""
    title = panel["title"]
    grid = panel["gridPos"]
    if grid["x"] < 0 or grid["x"] + grid["w"] > WIDTH or min(grid["w"], grid["h"]) < 1:
        wrong.append(f"{title}: outside of the grid")
    if panel["type"] == "row":
        return
    if not panel["description"].endswith("."):
        wrong.append(f"{title}: no description")
    references = [target["refId"] for target in panel["targets"]]
    if not references or len(set(references)) != len(references):
        wrong.append(f"{title}: queries {references}")
    sources = [panel["datasource"]] + [target["datasource"] for target in panel["targets"]]
    if any(source != SOURCE for source in sources):
        wrong.append(f"{title}: a data source that is not the variable")
    for target in panel["targets"]:
        if '{instance=~"$host"' not in target["expr"]:
            wrong.append(f"{title}: does not follow the host variable")


def check(dashboard):
    """What is wrong with a dashboard."""
    wrong = []
    if dashboard["id"] is not None or "uid" in dashboard:
        wrong.append("a fixed id")
    if dashboard["schemaVersion"] != SCHEMA:
        wrong.append(f"schema {dashboard['schemaVersion']}")
    variables = {v["name"]: v["type"] for v in dashboard["templating"]["list"]}
    if variables != {"datasource": "datasource", "host": "query"}:
        wrong.append(f"variables {variables}")
    elif dashboard["templating"]["list"][1]["datasource"] != SOURCE:
        wrong.append("the hosts are not those of the data source")
    ids = [panel["id"] for panel in dashboard["panels"]]
    if len(set(ids)) != len(ids):
        wrong.append("two panels have one id")
    taken = set()
    for panel in dashboard["panels"]:
        check_panel(panel, wrong)
        if taken & cells(panel):
            wrong.append(f"{panel['title']}: overlaps another panel")
        taken |= cells(panel)
    return wrong


def main():
    paths = sorted(FOLDER.glob("*.json"))
    found = [path.stem for path in paths]
    wrong = [] if found == ["deliveries", "exporters", "logins", "overview"] else [str(found)]
    titles = set()
    for path in paths:
        dashboard = json.loads(path.read_text())
        titles.add(dashboard["title"])
        wrong += [f"{path.name}: {text}" for text in check(dashboard)]
    if len(titles) != len(paths):
        wrong.append("two dashboards have one title")
    print("\n".join(wrong))
    return 1 if wrong else 0


sys.exit(main())
