#!/usr/bin/env python3
"""Mail clients at work: what tests let a real Dovecot serve.

usage: traffic.py visits|hold|press|submit HOST:IMAP HOST:POP3 LMTP-SOCKET
                  [USERS [HOST:SUBMISSION HOST:RELAY]]

visits: each of USERS users gets mail by LMTP and reads it by IMAP and POP3,
    one after another, with bad passwords and connections cut in between.
hold: USERS IMAP connections stay open; each line on standard input is a
    command for all of them, answered by a line of how many said OK.
press: USERS threads do what `visits` does until standard input ends.
submit: each of USERS users submits mail, which Dovecot hands over to a server
    that this program plays at HOST:RELAY.

The last line on standard output is JSON: commands, and what went wrong that
should not have; logins that must be refused count as right. The exit status
is 1 if anything went wrong.
"""

import faulthandler
import imaplib
import json
import poplib
import smtplib
import socket
import struct
import sys
import threading
import time

PATIENCE = 20
# Whatever hangs: says where, and ends.
LONGEST = 120
PASSWORD = "pass"


class Tally:
    """What was done, and what went wrong; of all threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.commands = 0
        self.slowest = 0.0
        self.failures = []

    def expect(self, what, action, wanted=lambda answer: True):
        """Does one command; an exception or an unwanted answer is a failure."""
        begun = time.monotonic()
        failure = answer = None
        try:
            answer = action()
            if not wanted(answer):
                failure = f"{what}: {answer!r:.200}"
        except Exception as error:  # whatever a library raises
            failure = f"{what}: {type(error).__name__}: {error}"
        took = time.monotonic() - begun
        with self.lock:
            self.commands += 1
            self.slowest = max(self.slowest, took)
            if failure:
                self.failures.append(failure)
        return answer

    def refused(self, what, action, error):
        """Does one command that must fail with this exception."""

        def attempt():
            try:
                action()
            except error:
                return True
            return False

        self.expect(what, attempt, lambda refused: refused)

    def report(self):
        print(
            json.dumps(
                {
                    "commands": self.commands,
                    "slowest_ms": round(self.slowest * 1000, 1),
                    "failures": self.failures[:20],
                }
            ),
            flush=True,
        )
        return 1 if self.failures else 0


class Place:
    """Where the server is."""

    def __init__(self, imap, pop3, lmtp, submission=None, relay=None):
        self.imap_at = self.split(imap)
        self.pop3_at = self.split(pop3)
        self.lmtp_at = lmtp
        self.submission_at = submission and self.split(submission)
        self.relay_at = relay and self.split(relay)

    @staticmethod
    def split(address):
        host, port = address.rsplit(":", 1)
        return host, int(port)

    def imap(self):
        return imaplib.IMAP4(*self.imap_at, timeout=PATIENCE)

    def pop3(self):
        return poplib.POP3(*self.pop3_at, timeout=PATIENCE)

    def lmtp(self):
        name = "client.example.org"
        return smtplib.LMTP(self.lmtp_at, local_hostname=name, timeout=PATIENCE)


    def submission(self):
        return smtplib.SMTP(
            *self.submission_at, local_hostname="client.example.org", timeout=PATIENCE
        )


class Relay:
    """An SMTP server that takes all mail and forgets it."""

    def __init__(self, address):
        self.taken = 0
        self.listener = socket.create_server(address)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        lines = connection.makefile("rb")
        say = lambda text: connection.sendall(text.encode() + b"\r\n")
        say("220 relay.example.org ESMTP")
        for line in lines:
            command = line.split(b" ")[0].strip().upper()
            if command == b"EHLO":
                say("250-relay.example.org\r\n250-8BITMIME\r\n250 VRFY")
            elif command == b"DATA":
                say("354 go on")
                while lines.readline() not in (b".\r\n", b""):
                    pass
                self.taken += 1
                say("250 taken")
            elif command == b"QUIT":
                say("221 bye")
                break
            else:
                say("250 well")
        connection.close()


def ok(answer):
    return answer[0] == "OK"


def message(user, number):
    return (
        f"From: Sender <sender@example.org>\r\nTo: {user}@example.net\r\n"
        f"Subject: number {number} \u00e4\r\nMessage-ID: <{number}.{user}@example.org>\r\n"
        "\r\n" + "A line of the body.\r\n" * (10 * number)
    ).encode()


def deliver(tally, place, user):
    client = tally.expect("LMTP connect", place.lmtp)
    if client is None:
        return
    for number in range(1, 4):
        # One recipient: smtplib reads one answer only.
        to = f"{user}@example.net"
        send = lambda: client.sendmail("sender@example.org", to, message(user, number))
        tally.expect("LMTP delivery", send, lambda refused: not refused)
    tally.expect("LMTP VRFY", lambda: client.verify(user))
    tally.expect("LMTP QUIT", client.quit)


def read_imap(tally, place, user):
    client = tally.expect("IMAP connect", place.imap)
    if client is None:
        return
    login = f"{user}@example.net"
    tally.refused(
        "IMAP bad login", lambda: client.login(login, "wrong"), imaplib.IMAP4.error
    )
    tally.expect("IMAP LOGIN", lambda: client.login(login, PASSWORD), ok)
    do = lambda what, action: tally.expect(f"IMAP {what}", action, ok)
    do("LIST", lambda: client.list())
    do("CREATE", lambda: client.create("Work"))
    do("SELECT", lambda: client.select("INBOX"))
    do("SEARCH", lambda: client.search(None, "SUBJECT", "number"))
    do("FETCH", lambda: client.fetch("1:*", "(UID FLAGS BODY.PEEK[])"))
    do("STORE", lambda: client.store("1", "+FLAGS", r"(\Seen \Deleted)"))
    do("COPY", lambda: client.copy("1:2", "Work"))
    do("EXPUNGE", lambda: client.expunge())
    do("STATUS", lambda: client.status("Work", "(MESSAGES UNSEEN)"))
    do("APPEND", lambda: client.append("Work", None, None, message(user, 9)))
    do("EXAMINE", lambda: client.select("Work", readonly=True))
    do("CLOSE", client.close)
    refuse = lambda: client._simple_command("SELECT", "Nowhere")[0]
    tally.expect("IMAP SELECT of nothing", refuse, lambda said: said == "NO")
    do("DELETE", lambda: client.delete("Work"))
    tally.expect("IMAP IDLE", lambda: idle(client), lambda said: b"OK" in said)
    tally.expect("IMAP LOGOUT", client.logout)


def idle(client):
    client.send(b"i1 IDLE\r\n")
    client.readline()
    client.send(b"DONE\r\n")
    while True:
        line = client.readline()
        if line.startswith(b"i1 ") or not line:
            return line


def read_pop3(tally, place, user):
    client = tally.expect("POP3 connect", place.pop3)
    if client is None:
        return
    do = lambda what, action: tally.expect(
        f"POP3 {what}", action, lambda said: b"+OK" in (said if isinstance(said, bytes) else said[0])
    )
    do("USER", lambda: client.user(f"{user}@example.net"))
    do("PASS", lambda: client.pass_(PASSWORD))
    tally.expect("POP3 STAT", client.stat)
    do("LIST", client.list)
    do("RETR", lambda: client.retr(1))
    do("DELE", lambda: client.dele(1))
    do("QUIT", client.quit)


def submit(tally, place, user):
    client = tally.expect("submission connect", place.submission)
    if client is None:
        return
    login = f"{user}@example.net"
    tally.expect("submission EHLO", client.ehlo, lambda said: said[0] == 250)
    tally.refused(
        "submission bad login",
        lambda: client.login(login, "wrong"),
        smtplib.SMTPAuthenticationError,
    )
    tally.expect("submission AUTH", lambda: client.login(login, PASSWORD), lambda said: said[0] == 235)
    for number in range(1, 3):
        to = [f"{name}@example.com" for name in ("one", "two")]
        send = lambda: client.sendmail(login, to, message(user, number))
        tally.expect("submission of mail", send, lambda refused: not refused)
    tally.expect("submission NOOP", client.noop, lambda said: said[0] == 250)
    tally.expect("submission QUIT", client.quit)


def cut(tally, place, user):
    """A connection that ends in the middle of a command."""
    client = tally.expect("IMAP connect", place.imap)
    if client is None:
        return
    tally.expect("IMAP LOGIN", lambda: client.login(f"{user}@example.net", PASSWORD), ok)
    tally.expect("IMAP SELECT", lambda: client.select("INBOX"), ok)
    client.send(b"x1 APPEND INBOX {1000}\r\nonly this")
    # Reset instead of closed.
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.sock.close()


def visit(tally, place, user):
    deliver(tally, place, user)
    read_imap(tally, place, user)
    read_pop3(tally, place, user)
    cut(tally, place, user)


def visits(tally, place, users):
    for number in range(users):
        visit(tally, place, f"user{number}")


def submissions(tally, place, users):
    relay = Relay(place.relay_at)
    for number in range(users):
        submit(tally, place, f"user{number}")
    tally.expect("mail at the relay", lambda: relay.taken, lambda taken: taken == 2 * users)


def hold(tally, place, users):
    clients = []
    for number in range(users):
        client = tally.expect("IMAP connect", place.imap)
        login = lambda: client.login(f"user{number}@example.net", PASSWORD)
        tally.expect("IMAP LOGIN", login, ok)
        tally.expect("IMAP SELECT", lambda: client.select("INBOX"), ok)
        clients.append(client)
    print(len(clients), flush=True)
    # Not `for line in sys.stdin`, which reads ahead.
    for line in iter(sys.stdin.readline, ""):
        name, *arguments = line.split()
        command = lambda client: client._simple_command(name, *arguments)
        before = len(tally.failures)
        for client in clients:
            tally.expect(f"IMAP {name}", lambda: command(client), ok)
        print(len(clients) - (len(tally.failures) - before), flush=True)
    for client in clients:
        tally.expect("IMAP LOGOUT", client.logout)


def press(tally, place, users):
    ended = threading.Event()

    def work(number):
        while not ended.is_set():
            visit(tally, place, f"user{number}")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(users)]
    for thread in threads:
        thread.start()
    print(len(threads), flush=True)
    sys.stdin.read()
    ended.set()
    for thread in threads:
        thread.join()


def main():
    faulthandler.dump_traceback_later(LONGEST, exit=True)
    mode, imap, pop3, lmtp = sys.argv[1:5]
    users = int(sys.argv[5]) if len(sys.argv) > 5 else 3
    tally = Tally()
    place = Place(imap, pop3, lmtp, *sys.argv[6:8])
    modes = {"visits": visits, "hold": hold, "press": press, "submit": submissions}
    modes[mode](tally, place, users)
    sys.exit(tally.report())


main()
