"""An HTTP proxy on loopback: forwards requests and CONNECT tunnels; prints its port, then logs each request's line.

proxy.py LOG
"""
import contextlib
import http.client
import http.server
import selectors
import socket
import sys
import urllib.parse


class Proxy(http.server.BaseHTTPRequestHandler):
    def do_CONNECT(self):
        host, port = self.path.rsplit(":", 1)
        with contextlib.suppress(ConnectionError), socket.create_connection((host, int(port))) as far:
            self.send_response(200)
            self.end_headers()
            with selectors.DefaultSelector() as ready:
                ready.register(self.connection, selectors.EVENT_READ, far)
                ready.register(far, selectors.EVENT_READ, self.connection)
                while True:
                    for key, _ in ready.select():
                        data = key.fileobj.recv(65536)
                        if not data:
                            self.close_connection = True
                            return
                        key.data.sendall(data)

    def forward(self):
        url = urllib.parse.urlsplit(self.path)
        far = http.client.HTTPConnection(url.netloc)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        far.putrequest(self.command, self.path[self.path.index(url.netloc) + len(url.netloc):], skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if not name.lower().startswith("proxy-"):
                far.putheader(name, value)
        far.endheaders(body)
        answer = far.getresponse()
        self.log_request(answer.status)
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.close_connection = True
        self.end_headers()
        self.wfile.write(answer.read())

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = forward

    def log_message(self, format, *arguments):
        with open(sys.argv[1], "a") as log:
            log.write(format % arguments + "\n")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
print(server.server_address[1], flush=True)
server.serve_forever()
