#!/usr/bin/env python3
"""Checks contrib/prometheus and contrib/grafana against real scrapes.

usage: prometheus.py FANTAIL

Two servers, one with the packs of Dovecot 2.3 and one with those of 2.4, get
the recordings of real Dovecots, and a real Prometheus scrapes both. Then each
recording rule, each series that an alert looks at, and each query of the
dashboards must have an answer, with the labels that it groups by or shows: none
may be empty for want of a metric or label.
Before that, promtool checks the rules and runs their unit tests.
"""

import json
import math
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
CONTRIB = REPOSITORY / "contrib"
RULES = CONTRIB / "prometheus"
VERSIONS = {"2.3": "2.3.19", "2.4": "2.4.1"}
PATIENCE = 90
PROCESSES = []


def free_port():
    """A port that was free a moment ago, below those of outgoing connections."""
    for port in range(24000 + time.time_ns() % 4000, 32000):
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")


def start(command, log):
    """Starts a program that `main` ends, or the kernel if this one is killed."""
    command = ["setpriv", "--pdeathsig", "TERM", "--", *command]
    PROCESSES.append(subprocess.Popen(command, stdout=log, stderr=log))


def until(what, holds):
    """Waits until something holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.05)


class Host:
    """A mail server whose Dovecot is a recording."""

    def __init__(self, program, folder, series):
        self.folder = folder / series
        (self.folder / "run").mkdir(parents=True)
        self.socket = self.folder / "run/stats-writer"
        self.capture = REPOSITORY / f"testdata/captures/dovecot-{VERSIONS[series]}.tsv"
        bans = (CONTRIB / f"bans/{series}.conf").read_text()
        bans = bans.replace("/var/log/fantail", str(self.folder))
        (self.folder / "bans.conf").write_text(bans)
        lines = ["dovecot_config_version = 2.4.1"] if series == "2.4" else []
        lines += [f"base_dir = {self.folder}/run", f"!include {self.folder}/bans.conf"]
        lines += [f"!include {CONTRIB}/packs/{series}/*.conf"]
        # An exporter with a spool, for the rows of spools.
        lines += ["event_exporter spooled {", "format = ndjson"]
        if series == "2.4":
            lines += ["driver = file"]
        else:
            lines += ["transport = file", "format_args = time-rfc3339"]
        lines += [f"file_path = {self.folder}/spooled.log", "delivery = spool"]
        lines += [f"spool_path = {self.folder}/spool", "}"]
        configuration = self.folder / "fantail.conf"
        configuration.write_text("\n".join(lines) + "\n")
        self.address = f"127.0.0.1:{free_port()}"
        command = [program, "serve", "--config", configuration, "--http", self.address]
        start([*command, "--no-login-writer"], open(self.folder / "log", "wb"))
        until("fantail is ready", lambda: get(f"http://{self.address}/readyz") is not None)

    def connect(self):
        """A connection that the server has greeted."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        connection.connect(str(self.socket))
        connection.recv(65536)
        return connection

    def play(self):
        """Sends the recording, and a line that is no line of a client."""
        connections = {"bad": self.connect()}
        connections["bad"].sendall(b"this is no handshake\n")
        for line in self.capture.read_bytes().splitlines(keepends=True):
            name, _, line = line.split(b"\t", 2)
            if line == b"<close>\n":
                if name in connections:
                    close(connections.pop(name))
                continue
            if name not in connections:
                connections[name] = self.connect()
            connections[name].sendall(line)
        for connection in connections.values():
            close(connection)


def close(connection):
    """Closes a connection once the server has read all."""
    try:
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
    except ConnectionError:
        pass
    connection.close()


def get(url):
    """The body of an answer; None if there is none yet."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read()
    except OSError:
        return None


class Prometheus:
    """Scrapes the hosts every second, with the rules of contrib."""

    def __init__(self, folder, hosts):
        text = (RULES / "prometheus.yml").read_text()
        text = text.replace("30s", "1s").replace("- rules.yml", f"- {RULES}/rules.yml")
        text = text.replace("- alerts.yml", f"- {RULES}/alerts.yml")
        targets = "\n".join(f"          - {host.address}" for host in hosts)
        text = text.replace("          - 127.0.0.1:9900", targets)
        configuration = folder / "prometheus.yml"
        configuration.write_text(text)
        self.address = f"127.0.0.1:{free_port()}"
        command = ["prometheus", f"--config.file={configuration}"]
        command += [f"--storage.tsdb.path={folder}/data", f"--web.listen-address={self.address}"]
        start(command, open(folder / "prometheus.log", "wb"))
        until("Prometheus is ready", lambda: get(f"http://{self.address}/-/ready") is not None)

    def answers(self, query, labels):
        """Whether a query has a sample that is a number and has these labels."""
        parameters = urllib.parse.urlencode({"query": query})
        body = get(f"http://{self.address}/api/v1/query?{parameters}")
        if body is None:
            raise ValueError(f"refused: {query}")
        samples = json.loads(body)["data"]["result"]
        samples = [sample for sample in samples if not math.isnan(float(sample["value"][1]))]
        return any(all(sample["metric"].get(label) for label in labels) for sample in samples)

    def rules(self):
        """All rules that it has loaded."""
        body = json.loads(get(f"http://{self.address}/api/v1/rules"))
        return [rule for group in body["data"]["groups"] for rule in group["rules"]]


def queries(prometheus):
    """What must have an answer: where it is from, the query, the labels it has."""
    found = [("variable", "fantail_build_info", ["instance"])]
    selector = re.compile(r'\b((?:(?:job|instance):|fantail_|dovecot_|up\b)[\w:]*(?:\{[^}]*\})?)')
    for rule in prometheus.rules():
        if rule["type"] == "recording":
            by = re.match(r"sum by \(([^)]*)\)", rule["query"])
            labels = by[1].split(", ") if by else []
            found.append(("rule", rule["name"], labels))
        else:
            found += [(rule["name"], name, []) for name in selector.findall(rule["query"])]
    for path in sorted((CONTRIB / "grafana").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", []):
                query = target["expr"].replace("$host", ".*").replace("$__rate_interval", "1m")
                labels = re.findall(r"{{(\w+)}}", target["legendFormat"])
                found.append((f"{path.stem}: {panel['title']}", query, labels))
    return found


def run_promtool():
    """promtool's own checks and the unit tests of the rules."""
    tests = sorted((RULES / "tests").glob("*.yml"))
    for arguments in (
        ["check", "rules", "rules.yml", "alerts.yml"],
        ["check", "config", "prometheus.yml"],
        ["test", "rules", *tests],
    ):
        subprocess.run(["promtool", *arguments], cwd=RULES, check=True, stdout=subprocess.DEVNULL)
    tested = "".join(path.read_text() for path in tests)
    for alert in re.findall(r"- alert: (\w+)", (RULES / "alerts.yml").read_text()):
        if not re.search(rf"alertname: {alert}\n\s+exp_alerts:\n", tested):
            raise ValueError(f"no unit test in which {alert} fires")


def check(folder, program):
    """Asks until everything has an answer; the exit status."""
    hosts = [Host(program, folder, series) for series in VERSIONS]
    prometheus = Prometheus(folder, hosts)
    asked = queries(prometheus)
    empty = asked
    end = time.monotonic() + PATIENCE
    while empty and time.monotonic() < end:
        for host in hosts:
            host.play()
        empty = [one for one in empty if not prometheus.answers(*one[1:])]
    for place, query, labels in empty:
        print(f"no answer: {place}: {query} {labels}")
    print(f"{len(asked)} queries, {len(empty)} without an answer")
    return 1 if empty or len(asked) < 100 else 0


def main():
    run_promtool()
    with tempfile.TemporaryDirectory() as temporary:
        try:
            return check(Path(temporary), sys.argv[1])
        finally:
            for process in PROCESSES:
                process.terminate()
            for process in PROCESSES:
                process.wait()


sys.exit(main())
