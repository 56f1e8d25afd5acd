"""Types the beginning of a command line into a real shell, presses TAB, and
compares what the shell makes of it.

Usage: completions.py FANTAIL bash|zsh|fish
"""

import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time

# What is typed, and the word that it becomes part of.
LINES = [
    ("fantail ev", "events"),
    ("fantail events imap_com", "imap_command_finished"),
    ("fantail events --field tagged_reply_s", "tagged_reply_state"),
    ("fantail explain lint/unknown-ev", "lint/unknown-event"),
    ("fantail tap 'event=imap_com", "event=imap_command_finished"),
    ("fantail filter match 'event=imap_com", "event=imap_command_finished"),
    ("fantail stats add slow 'event=imap_com", "event=imap_command_finished"),
    ("fantail stats add --fields tagged_reply_s", "tagged_reply_state"),
]
DEADLINE = 30


class Terminal:
    """A shell on a terminal of its own."""

    def __init__(self, command, environment):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, environment)
        self.seen = ""

    def type(self, text):
        os.write(self.fd, text.encode())

    def until(self, expected):
        """Reads until the output has the text; whether it came."""
        end = time.monotonic() + DEADLINE
        while expected not in self.seen:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                return False
            try:
                data = os.read(self.fd, 65536).decode(errors="replace")
            except OSError:
                return False
            # Without the control sequences of line editors.
            data = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|[\r\x08\x07]", "", data)
            self.seen += data
        return True

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def typed(command, environment, setup, lines):
    """The lines whose completion did not come."""
    terminal = Terminal(command, environment)
    failed = []
    terminal.type(setup + "; echo rea''dy\n")
    if not terminal.until("ready"):
        return [("setup", terminal.seen)]
    for number, (line, expected) in enumerate(lines):
        terminal.seen = ""
        terminal.type(line + "\t")
        if not terminal.until(expected):
            failed.append((line, terminal.seen))
        # Empties the line.
        terminal.type("\x15")
        terminal.type(f"echo en''d{number}\n")
        terminal.until(f"end{number}")
    terminal.close()
    return failed


def bash(folder, environment):
    setup = f"PS1='> '; source {folder}/script"
    return typed(["bash", "--norc", "--noprofile", "-i"], environment, setup, LINES)


def zsh(folder, environment):
    os.rename(f"{folder}/script", f"{folder}/_fantail")
    setup = f"PS1='> '; fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D"
    return typed(["zsh", "-f", "-i"], environment, setup, LINES)


def fish(folder, environment):
    failed = []
    for line, expected in LINES:
        script = f"source {folder}/script; complete -C {line.replace(chr(39), '')!r}"
        told = subprocess.run(
            ["fish", "--no-config", "-c", script],
            capture_output=True, text=True, check=False, env=environment,
        )
        if expected not in told.stdout:
            failed.append((line, told.stdout + told.stderr))
    return failed


def main():
    fantail, shell = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/script", "wb") as script:
            subprocess.run([fantail, "completions", shell], stdout=script, check=True)
        environment = {
            "PATH": os.environ["PATH"], "HOME": folder, "TERM": "vt100", "LC_ALL": "C.UTF-8",
            "COLUMNS": "200",
        }
        failed = {"bash": bash, "zsh": zsh, "fish": fish}[shell](folder, environment)
    for line, seen in failed:
        print(f"{shell}: {line!r} is not completed:\n{seen}")
    sys.exit(bool(failed))


main()
