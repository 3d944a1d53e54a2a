"""A registry that lies. The repository's name says how; `ok` is honest. Prints its port, then serves until killed.

    python3 bad_registry.py LOG    a line a request goes to LOG: method, path, range, whether credentials came along
"""

import base64
import gzip
import hashlib
import http.server
import io
import json
import os
import socketserver
import sys
import tarfile
import threading
import time

SIZE = 20 << 20  # of the layer: three ranges
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def make_image():
    """A layer that does not compress, its configuration and manifest."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        member = tarfile.TarInfo("random")
        member.size = SIZE
        archive.addfile(member, io.BytesIO(os.urandom(SIZE)))
    layer = gzip.compress(tar.getvalue(), 1)
    config = json.dumps({"os": "linux", "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine],
                         "config": {}, "rootfs": {"type": "layers", "diff_ids": [digest(tar.getvalue())]}}).encode()
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST,
                "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(config), "size": len(config)},
                "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest(layer), "size": len(layer)}]}
    return layer, config, manifest


LAYER, CONFIG, IMAGE = make_image()
seen = {}  # how often a mode has been asked
lock = threading.Lock()


def count(key):
    with lock:
        seen[key] = seen.get(key, 0) + 1
        return seen[key]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def note(self):
        with lock, open(sys.argv[1], "a", encoding="ascii") as log:
            log.write(f"{self.command} {self.path} {self.headers.get('Range', '-')} {self.headers.get('Authorization', '-')}\n")

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def do_GET(self):
        self.note()
        if self.path == "/v2/":
            return self.answer(200, b"{}")
        if self.path.startswith("/token"):
            return self.answer(200, b'{"token": "never-enough"}')
        if self.path.startswith("/away"):
            return self.blob(LAYER, "ok")
        parts = self.path.split("/")
        if len(parts) != 5:
            return self.answer(404)
        mode, kind = parts[2], parts[3]
        act = getattr(self, f"{kind}_{mode.replace('-', '_')}", None)
        if act is not None:
            return act()
        if kind == "manifests":
            return self.manifest(IMAGE)
        return self.blob(CONFIG if parts[4] == digest(CONFIG) else LAYER, mode)

    def manifest(self, manifest, **headers):
        body = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        return self.answer(200, body, Content_Type=MANIFEST, **headers)

    def blob(self, data, mode):
        if data is CONFIG:
            return self.answer(200, data)
        behave = getattr(self, f"layer_{mode.replace('-', '_')}", None)
        if behave is not None:
            return behave(data)
        return self.ranged(data)

    def ranged(self, data, shift=0):
        wanted = self.headers.get("Range")
        if wanted is None:
            return self.answer(200, data)
        first, last = (int(n) for n in wanted.removeprefix("bytes=").split("-"))
        return self.answer(206, data[first:last + 1], Content_Range=f"bytes {first + shift}-{last + shift}/{len(data)}")

    # What is wrong with manifests.
    def manifests_html(self):
        self.answer(200, b"<html>Welcome to our guest network</html>", Content_Type="text/html; charset=utf-8")

    def manifests_token_for_ever(self):
        self.answer(401, b"{}", WWW_Authenticate=f'Bearer realm="http://localhost:{PORT}/token",service="x"')

    def manifests_basic_for_ever(self):
        self.answer(401, b"{}", WWW_Authenticate='Basic realm="x"')

    def manifests_bad_realm(self):
        self.answer(401, b"{}", WWW_Authenticate='Bearer realm="file:///etc/passwd",service="x"')

    def manifests_busy(self):
        self.answer(429, b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "slow down"}]}')

    def manifests_busy_long(self):
        self.answer(429, b"{}", Retry_After="3600")

    def manifests_busy_once(self):
        if count("busy-once") == 1:
            return self.answer(429, b"{}", Retry_After="1")
        return self.manifest(IMAGE)

    def manifests_down_twice(self):
        if count("down-twice") <= 2:
            return self.answer(503)
        return self.manifest(IMAGE)

    def manifests_circle(self):
        self.answer(307, Location=self.path)

    def manifests_to_file(self):
        self.answer(307, Location="file:///etc/passwd")

    def manifests_huge(self):
        self.send_response(200)
        self.send_header("Content-Length", str(100 << 20))
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b" " * (1 << 20))
        except OSError:
            pass
        self.close_connection = True

    def manifests_deep(self):
        self.manifest(b"[" * 1_000_000)

    def manifests_both(self):
        self.manifest(IMAGE | {"manifests": []})

    def manifests_false_digest(self):
        self.manifest(IMAGE, Docker_Content_Digest="sha256:" + 64 * "0")

    def manifests_escape(self):
        layer = IMAGE["layers"][0] | {"digest": "sha256:../../../../etc/passwd"}
        self.manifest(IMAGE | {"layers": [layer]})

    def manifests_too_small(self):
        self.sized(-1)

    def manifests_too_large(self):
        self.sized(1)

    def sized(self, change):
        layer = IMAGE["layers"][0] | {"size": len(LAYER) + change}
        self.manifest(IMAGE | {"layers": [layer]})

    def manifests_stall(self):
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.flush()
        time.sleep(60)
        self.close_connection = True

    def manifests_silent(self):
        self.close_connection = True

    # What is wrong with layers.
    def layer_no_ranges(self, data):
        self.answer(200, data)

    def layer_wrong_range(self, data):
        self.ranged(data, shift=1)

    def layer_late_wrong_range(self, data):
        self.ranged(data, shift=1 if "bytes=0-" not in self.headers.get("Range", "") else 0)

    def layer_missing(self, _):
        self.answer(404)

    def layer_damaged(self, data):
        self.ranged(data[:1000] + bytes([data[1000] ^ 1]) + data[1001:])

    def layer_drop(self, data):
        """Gives 100 kB of what is asked for, and hangs up."""
        first, last = (int(n) for n in self.headers["Range"].removeprefix("bytes=").split("-"))
        self.answer(206, data[first:first + 100_000], Content_Range=f"bytes {first}-{last}/{len(data)}",
                    Content_Length=str(last + 1 - first))
        self.close_connection = True

    def layer_drop_once(self, data):
        return self.layer_drop(data) if count("drop-once") <= 3 else self.ranged(data)

    def layer_slow(self, data):
        """The first range, then nothing more."""
        if "bytes=0-" in self.headers.get("Range", ""):
            return self.ranged(data)
        time.sleep(60)
        self.close_connection = True

    def layer_away(self, _):
        # Another name of this machine is another host.
        self.answer(307, Location=f"http://127.0.0.1:{PORT}/away")

    def manifests_away(self):
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"user:secret").decode():
            return self.answer(401, b"{}", WWW_Authenticate='Basic realm="x"')
        return self.manifest(IMAGE)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64


server = Server(("127.0.0.1", 0), Handler)
PORT = server.server_address[1]
print(PORT, flush=True)
server.serve_forever()
