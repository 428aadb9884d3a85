#!/usr/bin/env python3
"""Pours bytes through a gateway to a reader that reads nothing; prints how many mebibytes went in within three seconds.

    standstill.py upstream                an upstream on a free port: GET /pour pours, anything else reads nothing of its body
    standstill.py client PORT KEY         asks for /pour and reads nothing
    standstill.py upload PORT KEY         sends a body that the upstream does not read
"""
import socket
import sys
import threading
import time

SIZE = 2 << 30
poured = 0


def pour(connection):
    global poured
    block = b"x" * 65536
    try:
        while poured < SIZE:
            poured += connection.send(block)
    except OSError:
        pass


def upstream():
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    kept = []
    while True:
        connection, _ = listener.accept()
        kept.append(connection)
        head = connection.recv(4096)
        if head.startswith(b"GET /pour"):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
            threading.Thread(target=pour, args=(connection,), daemon=True).start()
            time.sleep(3)
            print(f"poured {poured >> 20}", flush=True)


def request(port, line, key, more=""):
    connection = socket.create_connection(("127.0.0.1", int(port)), 5)
    connection.sendall(f"{line} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n{more}\r\n".encode())
    return connection


if __name__ == "__main__":
    if sys.argv[1] == "upstream":
        upstream()
    elif sys.argv[1] == "client":
        connection = request(sys.argv[2], "GET /pour", sys.argv[3])
        time.sleep(4)
    else:
        connection = request(sys.argv[2], "POST /x", sys.argv[3], f"Content-Length: {SIZE}\r\n")
        threading.Thread(target=pour, args=(connection,), daemon=True).start()
        time.sleep(3)
        print(f"poured {poured >> 20}", flush=True)
