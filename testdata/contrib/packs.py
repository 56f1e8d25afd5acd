#!/usr/bin/env python3
"""Checks contrib/packs and contrib/bans with a `fantail` program.

usage: packs.py FANTAIL

- `fantail check` finds nothing in any file, not even a hint.
- Played over the capture of its Dovecot, each metric counts the events that the
  capture has. Expectations are counted in the lines of the capture, and taken
  from what a real Dovecot made of it; nothing comes from fantail.
- Both series have the same metrics, but for the events that only 2.4 has.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
CAPTURES = REPOSITORY / "testdata/captures"
VERSIONS = {"2.3": "2.3.19", "2.4": "2.4.1"}

# Metrics that count all events of one name.
BY_NAME = {
    "deliveries": "mail_delivery_finished",
    "delivery_duration": "mail_delivery_finished",
    "lmtp_recipients": "smtp_server_transaction_rcpt_finished",
    "imap_commands": "imap_command_finished",
    "imap_command_duration": "imap_command_finished",
    "mail_opens": "mail_opened",
    "mail_expunges": "mail_expunged",
    "user_sessions": "mail_user_session_finished",
    "passdb_lookups": "auth_passdb_request_finished",
    "cache_purges": "mail_cache_purge_finished",
    "pop3_commands": "pop3_command_finished",
    "pop3_command_duration": "pop3_command_finished",
    "login_aborts": "login_aborted",
}
# Nothing in the captures matches these: they were made without proxies, SQL,
# HTTP, full text search and trouble.
NOT_SHOWN = {
    "delivery_failures",
    "imap_lock_wait",
    "http_requests",
    "http_request_duration",
    "http_retries",
    "indexing",
    "indexing_duration",
    "index_recreations",
    "cache_corruptions",
    "proxy_sessions",
    "proxy_failures",
    "proxy_ends",
    "proxy_reconnects",
    "sql_queries",
    "sql_failures",
    "sql_query_duration",
}
ONLY_2_4 = {"pop3_commands", "pop3_command_duration", "login_aborts"}


def write_configuration(folder, series, files):
    """A configuration that includes these files."""
    lines = ["dovecot_config_version = 2.4.1"] if series == "2.4" else []
    lines += [f"!include {path}" for path in files]
    path = folder / "fantail.conf"
    path.write_text("\n".join(lines) + "\n")
    return path


def check(program, configuration):
    """What `fantail check` says against a configuration."""
    command = [program, "check", "--for", "fantail", "--deny", "hint", configuration]
    run = subprocess.run(command, capture_output=True, text=True)
    said = run.stdout + run.stderr
    clean = run.returncode == 0 and said.rstrip().endswith("nothing is wrong")
    return "" if clean else said


def counts(program, configuration, capture, folder):
    """How many events each metric counts, as `doveadm stats dump` has it."""
    dump = folder / "dump"
    command = [program, "replay", "--config", configuration, "--dump", dump]
    command += ["--dump-format", "tsv", capture]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    rows = [line.split("\t") for line in dump.read_text().splitlines()]
    return {row[0]: int(row[2]) for row in rows[1:] if row[1] == "duration"}


def expected_counts(version):
    """What the capture has, without fantail."""
    lines = (CAPTURES / f"dovecot-{version}.tsv").read_bytes().splitlines()
    sent = [line for line in lines if line.split(b"\t")[2] == b"EVENT"]

    def named(name, more=b""):
        start = b"\tn" + name.encode() + b"\t"
        return sum(start in line + b"\t" and more in line + b"\t" for line in sent)

    expected = {metric: named(event) for metric, event in BY_NAME.items()}
    accepted = named("auth_request_finished", b"\tSsuccess\tyes\t")
    for metric in ("logins", "login_duration", "login_users"):
        expected[metric] = accepted
    for metric in ("login_failures", "login_failure_addresses"):
        expected[metric] = named("auth_request_finished") - accepted
    # What the stats process of a real Dovecot made of the same capture.
    real = (CAPTURES / f"{version}-wide/openmetrics.txt").read_text()
    opened = 'dovecot_imap_commands_total{cmd_name="%s",tagged_reply_state="OK"} '
    expected["mailbox_opens"] = sum(
        int(line.split()[-1])
        for line in real.splitlines()
        if line.startswith((opened % "SELECT", opened % "EXAMINE"))
    )
    expected["sessions"] = sum(is_session(line, version) for line in lines)
    expected.update(dict.fromkeys(NOT_SHOWN, 0))
    return expected


def is_session(line, version):
    """Whether a line begins the root event of a session (see docs/serve.md)."""
    parts = line.split(b"\t")
    if parts[2] != b"BEGIN" or parts[4] != b"0":
        return False
    categories = {part[1:] for part in parts[5:] if part.startswith(b"c")}
    if categories & {b"imap", b"lmtp", b"submission"}:
        return True
    if version.startswith("2.4"):
        return b"pop3" in categories
    # POP3 of 2.3 has no category of its own: its root has a user.
    return b"service:pop3" in categories and b"Suser" in parts


def main():
    program = sys.argv[1]
    wrong = []
    names = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for series, version in VERSIONS.items():
            packs = sorted((REPOSITORY / "contrib/packs" / series).glob("*.conf"))
            bans = REPOSITORY / f"contrib/bans/{series}.conf"
            for path in [*packs, bans]:
                said = check(program, write_configuration(folder, series, [path]))
                if said:
                    wrong.append(f"{path}: {said}")
            texts = [path.read_text() for path in packs]
            blocks = re.findall(r"^metric (\S+) \{", "".join(texts), re.MULTILINE)
            names[series] = set(blocks)
            if len(blocks) != len(names[series]):
                wrong.append(f"{series}: two metrics have one name")
            pattern = REPOSITORY / "contrib/packs" / series / "*.conf"
            configuration = write_configuration(folder, series, [pattern])
            wrong += [f"{series}: {text}" for text in [check(program, configuration)] if text]
            capture = CAPTURES / f"dovecot-{version}.tsv"
            counted = counts(program, configuration, capture, folder)
            expected = expected_counts(version)
            for name in sorted(names[series]):
                if name not in expected:
                    wrong.append(f"{series}: nothing is expected of {name}")
                elif counted[name] != expected[name]:
                    wrong.append(f"{series}: {name}: {counted[name]}, not {expected[name]}")
                elif expected[name] == 0 and name not in NOT_SHOWN:
                    wrong.append(f"{series}: the capture has nothing for {name}")
    if names["2.4"] - names["2.3"] != ONLY_2_4 or names["2.3"] - names["2.4"]:
        wrong.append(f"the series differ: {names['2.3'] ^ names['2.4']}")
    print("\n".join(wrong))
    return 1 if wrong else 0


sys.exit(main())
