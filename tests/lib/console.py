"""Takes the terminal that a runtime sends to the socket of argument 1, and prints what comes, up to "end"."""

import os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(1)
peer = server.accept()[0]
descriptor = socket.recv_fds(peer, 4096, 1)[1][0]
data = b""
while b"end" not in data:
    data += os.read(descriptor, 4096)
print(data.decode().replace("\r", ""))
