#!/usr/bin/env python3
"""A worker of leatd in Python: its jobs are answered in capitals. See ../worker-protocol.md."""
import sys

stdin, stdout = sys.stdin.buffer, sys.stdout.buffer


def answer(word, data):
    stdout.write(b"%s %d\n%s" % (word, len(data), data))
    stdout.flush()


def work(payload):
    return payload.upper()


stdout.write(b"READY\n")
stdout.flush()
for line in stdin:
    length = int(line.split()[3])
    payload = stdin.read(length)
    try:
        answer(b"DONE", work(payload))
    except Exception as error:
        answer(b"FAIL", repr(error).encode())
