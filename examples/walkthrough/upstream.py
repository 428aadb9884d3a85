#!/usr/bin/env python3
"""An API to stand behind the gateway: it answers every request and tells what it saw of it.

    upstream.py            listens on a free port of 127.0.0.1, and prints which

GET  .../slow?seconds=S    answers after S seconds
GET  .../stream?seconds=S  streams a line every 100 ms for S seconds
GET  .../report            has an ETag, and answers 304 to If-None-Match
GET  .../status/N          answers with status N
"""
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Upstream(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status=200, body=None, fields=()):
        data = b"" if body is None else (json.dumps(body) + "\n").encode()
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(data)

    def handle_any(self):
        url = urlsplit(self.path)
        seconds = float(parse_qs(url.query).get("seconds", ["1"])[0])
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if url.path.endswith("/report"):
            known = self.headers.get("If-None-Match") == '"v1"'
            return self.answer(304 if known else 200, None if known else {"report": 1}, [("ETag", '"v1"')])
        if "/status/" in url.path:
            return self.answer(int(url.path.rsplit("/", 1)[1]), {"status": "as asked"})
        if url.path.endswith("/slow"):
            time.sleep(seconds)
        if url.path.endswith("/stream"):
            return self.stream(seconds)
        status = 201 if self.command == "POST" else 200
        self.answer(status, {"method": self.command, "path": self.path, "bytes": len(body), "client": self.headers.get("X-Forwarded-For")})

    def stream(self, seconds):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.wfile.write(b"5\r\nline\n\r\n")
            self.wfile.flush()
            time.sleep(0.1)
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def log_message(self, *arguments):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request, client_address):
        pass  # A client that hangs up is no error here.


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Upstream)
    print(f"listening on 127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
