#!/usr/bin/env python3
"""Fails log-ins at a Dovecot, and lets the real fail2ban read what fantail wrote.

usage: bans.py HOST:IMAP HOST:POP3 FILE

FILE is what the exporter of contrib/bans writes. The user names try to have
another address banned: by quotes, line breaks, whole lines of the format. All
failures must be found, with the name that was sent, and only the address of the
client may be banned, by fail2ban-regex and by a server with the jail of
contrib/fail2ban.
"""

import base64
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FAIL2BAN = Path(__file__).resolve().parents[2] / "contrib/fail2ban"
CLIENT = "127.0.0.1"
PATIENCE = 60
LINE = (
    '{"start_time":"2030-01-01T00:00:00.000000Z","end_time":"2030-01-01T00:00:00.000000Z",'
    '"remote_ip":"203.0.113.7","service":"imap","original_user":"x"}'
)
NAMES = [
    "bob",
    "spaced name",
    '"quoted"',
    "'quoted'",
    "rip=203.0.113.7, lip=203.0.113.8",
    'x" remote_ip="203.0.113.7',
    'x","remote_ip":"203.0.113.7","original_user":"y',
    'x"}\n' + LINE,
    LINE,
    "\n" + LINE + "\n",
    "\r\n" + LINE + "\r\n",
    "x\u2028" + LINE,
    "x\x0b\x0c\x1c\x85" + LINE,
    "tab\tremote_ip:203.0.113.7",
    "x\x01203.0.113.7",
    "back\\slash\\",
    '\\","remote_ip":"203.0.113.7',
    "jürgen@exämple.org",
    "𝒳@example.org",
    "203.0.113.7",
    "<HOST> 203.0.113.7 <F-USER>",
    "%u %{rip} 203.0.113.7",
]


def address(text):
    """The host and port of an argument."""
    host, port = text.rsplit(":", 1)
    return host, int(port)


def fail(server, command, name):
    """One log-in with a wrong password, which has to be refused."""
    answer = base64.b64encode(f"\0{name}\0wrong".encode())
    with socket.create_connection(server, timeout=PATIENCE) as connection:
        lines = connection.makefile("rwb")
        lines.readline()
        lines.write(command + b" " + answer + b"\r\n")
        lines.flush()
        said = lines.readline()
    if not said.startswith((b"a NO ", b"-ERR ")):
        raise ValueError(f"{name!r}: {said!r}")


def until(what, holds):
    """Waits until something holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.05)


def check_expression(file, sent):
    """What fail2ban-regex finds: an address and a name for each line."""
    command = ["fail2ban-regex", "--out", "<ip> <F-USER>", file]
    command.append(FAIL2BAN / "filter.d/fantail.conf")
    run = subprocess.run(command, capture_output=True, check=True)
    found = [line.split(" ", 1) for line in run.stdout.decode().splitlines()]
    addresses = [address for address, _ in found]
    assert addresses == [CLIENT] * len(sent), addresses
    names = [json.loads(f'"{name}"') for _, name in found]
    assert names == sent, names


def check_jail(file, sent):
    """What a server with the jail bans."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        banned = folder / "banned"
        shutil.copytree("/etc/fail2ban", folder / "etc", ignore=shutil.ignore_patterns("jail.d"))
        shutil.copytree(FAIL2BAN, folder / "etc", dirs_exist_ok=True)
        (folder / "etc/action.d/record.conf").write_text(
            f"[Definition]\nactionban = echo '<ip>' >> {banned}\nactionunban =\n"
        )
        # As on a mail server, but for what a test may not touch.
        (folder / "etc/jail.d/test.local").write_text(
            f"[fantail]\nlogpath = {file}\nbanaction = record\naction = record\n"
            "ignoreself = false\n"
        )
        (folder / "etc/fail2ban.local").write_text("[Definition]\ndbfile = None\n")
        own = ["-c", folder / "etc", "-s", folder / "socket", "-p", folder / "pid"]
        log = folder / "log"
        server = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--"]
            + ["fail2ban-server", *own, "-f", "--logtarget", log, "start"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until("all failures are found", lambda: found(log) >= len(sent))
            until("an address is banned", banned.is_file)
            status = subprocess.run(
                ["fail2ban-client", *own, "get", "fantail", "banip"],
                capture_output=True,
                check=True,
                text=True,
            )
        finally:
            server.terminate()
            server.wait()
        assert banned.read_text().split() == [CLIENT], banned.read_text()
        assert status.stdout.split() == [CLIENT], status.stdout


def found(log):
    """How many failures fail2ban has logged."""
    return log.read_text().count("[fantail] Found ") if log.is_file() else 0


def main():
    imap, pop3, file = address(sys.argv[1]), address(sys.argv[2]), Path(sys.argv[3])
    for name in NAMES:
        fail(imap, b"a AUTHENTICATE PLAIN", name)
    for name in NAMES:
        fail(pop3, b"AUTH PLAIN", name)
    sent = NAMES * 2
    until(
        "fantail has written all",
        lambda: file.is_file() and file.read_bytes().count(b"\n") >= len(sent),
    )
    check_expression(file, sent)
    check_jail(file, sent)
    print(f"{len(sent)} failures, only {CLIENT} banned")


main()
