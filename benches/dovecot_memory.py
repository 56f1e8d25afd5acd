#!/usr/bin/env python3
"""Bytes that a series takes in the stats process of the installed Dovecot 2.3.

usage: dovecot_memory.py [SERIES] [VALUES]

Starts a Dovecot of its own, sends VALUES events for each of SERIES users, and
prints by how much its memory grew. As root; stops what it started.
"""
import os, pathlib, socket, subprocess, sys, tempfile, time

series, values = (int(n) for n in (sys.argv[1:] + ["100000", "1"][len(sys.argv) - 1 :]))
folder = tempfile.mkdtemp(prefix="fantail-memory-")
os.chmod(folder, 0o755)
config = f"{folder}/dovecot.conf"
with open(config, "w") as file:
    file.write(
        f"""protocols =
base_dir = {folder}/run
state_dir = {folder}
log_path = {folder}/log
ssl = no
service stats {{
  vsz_limit = 0
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
metric commands {{
  filter = event=imap_command_finished
  group_by = user
}}
"""
    )
subprocess.run(["dovecot", "-c", config], check=True, stdin=subprocess.DEVNULL)


def memory():
    """Resident bytes of the stats process below our master."""
    master = int(pathlib.Path(f"{folder}/run/master.pid").read_text())
    children = pathlib.Path(f"/proc/{master}/task/{master}/children").read_text().split()
    for child in children:
        name = pathlib.Path(f"/proc/{child}/comm").read_text().strip()
        if name == "stats":
            lines = pathlib.Path(f"/proc/{child}/status").read_text().splitlines()
            return next(int(l.split()[1]) * 1024 for l in lines if l.startswith("VmRSS:"))
    sys.exit("there is no stats process")


def play(numbers, rounds):
    client = socket.socket(socket.AF_UNIX)
    client.connect(f"{folder}/run/stats-writer")
    client.recv(65536)
    client.sendall(b"VERSION\tstats-client\t4\t0\n")
    for turn in range(rounds):
        lines = []
        for number in numbers:
            micros = 100 + turn * 2654435761 % 100000
            lines.append(
                f"EVENT\t0\t0\t0\t1700000000\t0\tl1700000000\t{micros}"
                f"\tnimap_command_finished\tSuser\tuser{number:06}@example.com\n"
            )
        for start in range(0, len(lines), 100):
            client.sendall("".join(lines[start : start + 100]).encode())
    client.shutdown(socket.SHUT_WR)
    while client.recv(65536):
        pass
    client.close()


try:
    time.sleep(1)
    play(range(1), 1)
    before = memory()
    play(range(series), values)
    dump = subprocess.run(
        ["doveadm", "-c", config, "stats", "dump"], capture_output=True, text=True, check=True
    )
    found = len(dump.stdout.splitlines()) - 2
    print(f"{found} series, {values} values each: {(memory() - before) // found} bytes a series")
finally:
    subprocess.run(["doveadm", "-c", config, "stop"], check=False)
    time.sleep(0.5)
    subprocess.run(["rm", "-rf", folder], check=False)
