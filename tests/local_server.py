"""A web server on this machine that serves bytes, with ranges, and fails as it is told."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Server(ThreadingHTTPServer):
    """`faults[path]`: what goes wrong with the next requests of a path, first one first.

    A number of bytes after which the body breaks off; "503" (busy, try again in a second);
    "no range" (the whole file whatever was asked for); "shifted" (another range than asked for).
    """

    def __init__(self, files: Mapping[str, bytes]):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = dict(files)
        self.faults: dict[str, list] = defaultdict(list)
        self.requests: list[tuple[str, str | None]] = []  # path, range

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        path, asked = self.path.lstrip("/"), self.headers.get("Range")
        self.server.requests.append((path, asked))
        fault = self.server.faults[path].pop(0) if self.server.faults[path] else None
        content = self.server.files.get(path)
        if fault == "503":
            return self.answer(503, b"", {"Retry-After": "1"})
        if content is None:
            return self.answer(404, b"nothing here")
        start = 0 if fault == "no range" or not asked else int(re.search(r"\d+", asked)[0])
        if start >= len(content) > 0 and asked:
            return self.answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        if fault == "shifted":
            start -= 1
        where = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        partial = asked and fault != "no range"
        limit = fault if isinstance(fault, int) else None
        self.answer(206 if partial else 200, content[start:], where if partial else {}, limit)

    def answer(self, code, body, headers=None, limit=None):
        self.send_response(code)
        for name, value in {"Content-Length": len(body), **(headers or {})}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body[:limit])
        self.close_connection = limit is not None


@contextmanager
def serving(files: Mapping[str, bytes]) -> Iterator[Server]:
    """Serve until the block ends."""
    with Server(files) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()
