#!/usr/bin/env python3
"""slowloris.py PORT COUNT EVERY: COUNT connections, each of which begins a request and then sends another header line every EVERY seconds, spread
evenly over the time. Ends with 1 when one is lost. It is light, so that a machine that also runs the server
and its healthy clients has its time for those."""
import socket
import sys
import time

port, count, every = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
connections = []
for _ in range(count):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
    connections.append(connection)
due = time.monotonic()
while True:
    for connection in connections:
        due += every / count
        time.sleep(max(0, due - time.monotonic()))
        try:
            connection.sendall(b"X: y\r\n")
        except OSError:
            sys.exit(1)
