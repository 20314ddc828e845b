#!/usr/bin/env python3
"""Measures what docs/reliability.md tells: pgo/build && bench/reliability.py

Needs Python 3.10 and nothing else. Works on a SQLite file of its own.
"""

import http.client
import json
import os
import pathlib
import resource
import select
import socket
import sqlite3
import statistics
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("PROGRAM", str(ROOT / "target/pgo/linkedin-targets"))
MINE = json.dumps({"query": "{ linkedInTargets { __typename } }"})


class Server:
    def __init__(self, folder, **settings):
        self.url = f"sqlite://{folder}/reliability.db"
        environment = {"DATABASE_URL": self.url, "LOG_FORMAT": "json", "PATH": os.environ["PATH"]}
        subprocess.run([PROGRAM, "migrate", "up"], env=environment, check=True, stdout=subprocess.DEVNULL)
        self.session = person(folder)
        self.port = free_port()
        settings = {"PORT": str(self.port), "RATE_LIMIT_USER": "off", **settings}
        self.process = subprocess.Popen(
            [PROGRAM, "serve"], env=environment | settings, stderr=subprocess.DEVNULL
        )
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                time.sleep(0.01)

    def memory(self):
        """Resident, in MiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024

    def connection(self):
        return socket.create_connection(("127.0.0.1", self.port))

    def ask(self, connection):
        """The status, and the milliseconds that it took."""
        began = time.perf_counter()
        headers = {"content-type": "application/json", "cookie": f"session={self.session}"}
        connection.request("POST", "/graphql", MINE, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, (time.perf_counter() - began) * 1000

    def latency(self, times):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        asked = [self.ask(connection) for _ in range(times)]
        assert all(status == 200 for status, _ in asked), asked
        return percentiles([took for _, took in asked])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def person(folder):
    with sqlite3.connect(f"{folder}/reliability.db") as db:
        columns = [row[1:4] for row in db.execute("PRAGMA table_info(users)")]
        needed = [(name, kind) for name, kind, required in columns if required or name == "id"]
        user = {name: "ada" if "TEXT" in kind.upper() or "CHAR" in kind.upper() else 0 for name, kind in needed}
        user |= {name: "2026-01-01 00:00:00.000" for name, kind in needed if "TIME" in kind.upper()}
        names = ", ".join(f'"{name}"' for name in user)
        marks = ", ".join("?" for _ in user)
        db.execute(f"INSERT INTO users ({names}) VALUES ({marks})", list(user.values()))
        columns = {row[1] for row in db.execute("PRAGMA table_info(sessions)")}
        session = {"id": "the-session", "userId": "ada", "expiresAt": "2100-01-01 00:00:00.000",
                   "createdAt": "2026-01-01 00:00:00.000"}
        session = {name: value for name, value in session.items() if name in columns}
        names = ", ".join(f'"{name}"' for name in session)
        marks = ", ".join("?" for _ in session)
        db.execute(f"INSERT INTO sessions ({names}) VALUES ({marks})", list(session.values()))
        identity = {"id": "the-identity", "userId": "ada", "provider": "linkedin", "providerUserId": "ada",
                    "providerData": '{"access_token":"secret"}', "connectedAt": "2026-01-01 00:00:00.000"}
        names = ", ".join(f'"{name}"' for name in identity)
        marks = ", ".join("?" for _ in identity)
        db.execute(f"INSERT INTO linked_identities ({names}) VALUES ({marks})", list(identity.values()))
    db.close()
    return "the-session"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def percentiles(values):
    values = sorted(values)
    return statistics.median(values), values[int(len(values) * 0.99)]


def tell(subject, figure):
    print(f"| {subject} | {figure} |", flush=True)


def idle(folder):
    with Server(folder) as server:
        server.latency(200)
        before = server.memory()
        held = [server.connection() for _ in range(10_000)]
        while True:
            time.sleep(0.2)
            now = server.memory()
            if now == server.memory():
                break
        median, worst = server.latency(500)
        tell("memory before", f"{before:.0f} MiB")
        tell("memory with 10,000 connections that say nothing", f"{server.memory():.0f} MiB")
        tell("a read beside them, median and 99th percentile", f"{median:.1f} ms, {worst:.1f} ms")
        del held


def slow_writers(folder):
    with Server(folder) as server:
        head = (
            "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            "content-length: 60000\r\n\r\n{"
        ).encode()
        held = [server.connection() for _ in range(2_000)]
        for connection in held:
            connection.sendall(head)
        median, worst = server.latency(500)
        tell("memory with 2,000 requests whose bodies do not end", f"{server.memory():.0f} MiB")
        tell("a read beside them, median and 99th percentile", f"{median:.1f} ms, {worst:.1f} ms")
        began = time.perf_counter()
        held[0].settimeout(60)
        answer = held[0].recv(100)
        assert answer.startswith(b"HTTP/1.1 503"), answer
        tell("the first of them is answered with 503 after another", f"{time.perf_counter() - began:.0f} s")


def slow_readers(folder):
    with Server(folder) as server:
        request = f"GET /schema.graphql HTTP/1.1\r\nhost: localhost\r\n\r\n".encode() * 50
        held = [server.connection() for _ in range(2_000)]
        for connection in held:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(request)
        median, worst = server.latency(500)
        tell("memory with 2,000 clients that ask for 50 answers and read none", f"{server.memory():.0f} MiB")
        tell("a read beside them, median and 99th percentile", f"{median:.1f} ms, {worst:.1f} ms")


def overload(folder):
    with Server(folder, MAX_REQUESTS="8") as server:
        answers, ends = [], time.perf_counter() + 10

        def load():
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            while time.perf_counter() < ends:
                answers.append(server.ask(connection))

        threads = [threading.Thread(target=load) for _ in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for status, what in ((200, "answered"), (503, "turned away")):
            took = [took for answered, took in answers if answered == status]
            if took:
                median, worst = percentiles(took)
                tell(f"64 at a time, places for 8: {what}", f"{len(took)}, median {median:.1f} ms, 99th percentile {worst:.1f} ms")
        others = {status for status, _ in answers} - {200, 503}
        assert not others, others


def follow(server, count):
    """So many subscriptions, each on a connection of its own, which have told the present state."""
    body = json.dumps({"query": "subscription { linkedInPostingPreferencesChanged { reason } }"})
    request = (
        "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"accept: text/event-stream\r\ncookie: session={server.session}\r\n"
        f"content-length: {len(body)}\r\n\r\n{body}"
    ).encode()
    held = []
    # Some at a time: there are as many places for requests.
    for _ in range(0, count, 100):
        new = [server.connection() for _ in range(100)]
        for connection in new:
            connection.sendall(request)
        for connection in new:
            hear(connection, b"PRESENT_STATE")
        held += new
    return held


def hear(connection, words):
    heard = b""
    while words not in heard:
        chunk = connection.recv(4096)
        assert chunk, heard
        heard += chunk


def save(server, targets):
    query = f"mutation {{ setLinkedInPostingPreferences(input: {{ targets: {targets} }}) {{ __typename }} }}"
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    headers = {"content-type": "application/json", "cookie": f"session={server.session}"}
    connection.request("POST", "/graphql", json.dumps({"query": query}), headers)
    answer = connection.getresponse()
    assert b"Success" in answer.read()


def subscriptions(folder):
    with Server(folder) as server:
        server.latency(200)
        before = server.memory()
        held = follow(server, 10_000)
        each = (server.memory() - before) * 1024 / len(held)
        tell("memory for one of 10,000 subscriptions", f"{each:.1f} KiB")
    with tempfile.TemporaryDirectory() as other, Server(other) as server:
        held = follow(server, 1_000)
        took = []
        for targets in ["[]", "[{ personal: VIEWER }]"] * 5:
            poll = select.epoll()
            waiting = {connection.fileno(): connection for connection in held}
            for number in waiting:
                poll.register(number, select.EPOLLIN)
            began = time.perf_counter()
            save(server, targets)
            while waiting:
                for number, _ in poll.poll(10):
                    hear(waiting.pop(number), b"PREFERENCES_SAVED")
                    poll.unregister(number)
            took.append((time.perf_counter() - began) * 1000)
            poll.close()
        tell("a change has reached 1,000 subscribers, median and worst of ten", f"{statistics.median(took):.0f} ms, {max(took):.0f} ms")


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    print("| | |\n|---|---|")
    for measure in (idle, slow_writers, slow_readers, subscriptions, overload):
        with tempfile.TemporaryDirectory() as folder:
            measure(folder)


if __name__ == "__main__":
    main()
