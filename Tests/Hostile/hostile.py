#!/usr/bin/env python3
"""What clients should never send, to a server on 127.0.0.1; prints one line for each thing tried, and what came of it.

    hostile.py heads PORT KEY     malformed heads (reliability, row 72): each must be refused, and its connection closed
    hostile.py http2 PORT         an HTTP/2 client's first bytes and floods (row 73): the same
    hostile.py slow PORT KEY      500 connections that send a byte now and then (row 71), and what others see meanwhile
"""
import http.client
import socket
import sys
import threading
import time


def talk(port, data, patience=8.0):
    """Sends bytes; returns the first answer's status, the bodies, and whether the server closed the connection."""
    with socket.create_connection(("127.0.0.1", port), patience) as connection:
        connection.settimeout(patience)
        try:
            connection.sendall(data)
        except OSError:
            pass
        answer = b""
        closed = False
        try:
            while True:
                part = connection.recv(65536)
                if not part:
                    closed = True
                    break
                answer += part
        except ConnectionError:
            closed = True
        except OSError:
            pass
    line = answer.split(b"\r\n", 1)[0].split(b" ")
    status = int(line[1]) if len(line) > 1 and line[1].isdigit() else 0
    return status, answer, closed


def heads(port, key):
    auth = b"Authorization: Bearer " + key.encode() + b"\r\n"
    host = b"Host: a\r\n"

    def head(fields, line=b"GET /x HTTP/1.1"):
        return line + b"\r\n" + fields + auth + b"\r\n"

    tries = {
        "10,000 fields": head(host + b"".join(b"X-%d: 1\r\n" % n for n in range(10_000))),
        "a field of 1 MB": head(host + b"X-Big: " + b"a" * 1_000_000 + b"\r\n"),
        "a target of 1 MB": head(host, b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1"),
        "NUL in a value": head(host + b"X-A: a\0b\r\n"),
        "a lone CR in a value": head(host + b"X-A: a\rb\r\n"),
        "a lone LF as line end": head(host + b"X-A: a\nX-B: b\r\n"),
        "a control character in a value": head(host + b"X-A: a\x01b\r\n"),
        "an obsolete fold": head(host + b"X-A: a\r\n b\r\n"),
        "a blank before the colon": head(host + b"X-A : a\r\n"),
        "two hosts": head(host + b"Host: b\r\n"),
        "no host": head(b""),
        "lengths and chunks": head(host + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", b"POST /x HTTP/1.1"),
        "two lengths": head(host + b"Content-Length: 3\r\nContent-Length: 4\r\n", b"POST /x HTTP/1.1"),
        "a negative length": head(host + b"Content-Length: -1\r\n", b"POST /x HTTP/1.1"),
        "an unknown coding": head(host + b"Transfer-Encoding: xchunked\r\n", b"POST /x HTTP/1.1"),
        "invalid UTF-8 in a value": head(host + b"X-A: \xff\xfe\r\n"),
        "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200 + b"\r\n\r\n",
        "a version of the future": head(host, b"GET /x HTTP/9.9"),
    }
    for name, data in tries.items():
        status, answer, closed = talk(port, data)
        secret = key.encode() in answer or b"127.0.0.1" in answer
        print(f"{name}: {status} {'closed' if closed else 'open'} {'LEAKS' if secret else 'quiet'}", flush=True)


def http2(port):
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    settings = b"\0\0\0\x04\0\0\0\0\0"
    ping = b"\0\0\x08\x06\0\0\0\0\0" + b"\0" * 8
    tries = {"a preface": preface + settings, "a settings flood": preface + settings * 10_000, "a ping flood": preface + ping * 10_000}
    for name, data in tries.items():
        start = time.monotonic()
        status, _, closed = talk(port, data)
        quick = time.monotonic() - start < 5
        print(f"{name}: {status} {'closed' if closed else 'open'} {'quickly' if quick else 'slowly'}", flush=True)


def latencies(port, key, count=300):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    times = []
    for _ in range(count):
        start = time.monotonic()
        connection.request("GET", "/x", headers={"Authorization": f"Bearer {key}"})
        response = connection.getresponse()
        response.read()
        assert response.status == 200, response.status
        times.append(time.monotonic() - start)
    return sorted(times)


def slow(port, key):
    latencies(port, key, 50)
    before = latencies(port, key)
    connections = []
    for index in range(500):
        connection = socket.create_connection(("127.0.0.1", port), 10)
        head = b"GET /x HTTP/1.1\r\nHost: a\r\n" if index % 2 else b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n"
        connection.sendall(head if index % 2 else head + f"Authorization: Bearer {key}\r\n\r\n".encode())
        connections.append(connection)
    done = threading.Event()

    def drip():
        while not done.is_set():
            for index, connection in enumerate(connections):
                try:
                    connection.send(b"X" if index % 2 == 0 else b"X-A: b\r\n")
                except OSError:
                    pass
            done.wait(1)

    dripping = threading.Thread(target=drip)
    dripping.start()
    during = latencies(port, key)
    ratio = during[297] / before[297]
    print(f"p99 of others: {ratio:.2f} times as long as without", flush=True)
    # A head has five seconds, however it drips.
    time.sleep(max(0, 8 - sum(during)))
    done.set()
    dripping.join()
    cut = 0
    for connection in connections[1::2]:
        connection.settimeout(0.2)
        try:
            while connection.recv(4096):
                pass
            cut += 1
        except ConnectionError:
            cut += 1
        except OSError:
            pass
    print(f"heads cut off after 8 seconds: {cut} of 250", flush=True)
    for connection in connections:
        connection.close()


if __name__ == "__main__":
    command, port = sys.argv[1], int(sys.argv[2])
    if command == "http2":
        http2(port)
    else:
        {"heads": heads, "slow": slow}[command](port, sys.argv[3])
