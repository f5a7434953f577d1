"""redis-cli that is typed to, in a terminal: it completes and hints by COMMAND DOCS. And --pipe, and how redis-benchmark starts."""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import tempfile
import termios
import time

from leatd import Leatd, check, report


class Terminal:
    """redis-cli in a terminal of 120 columns, without the history of whoever runs this."""

    def __init__(self, leatd, *options):
        self.home = tempfile.TemporaryDirectory(prefix="leat-home-")
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # Without a size it would ask the terminal where its cursor is.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
            os.environ.update(TERM="xterm", HOME=self.home.name)
            os.execvp("redis-cli", ["redis-cli", "-p", str(leatd.port), *options])
        self.shown = ""

    def wait(self, pattern):
        """Until what was shown since the last wait matches; what it was."""
        until = time.monotonic() + 30
        while not re.search(pattern, self.shown, re.DOTALL) and time.monotonic() < until:
            if not select.select([self.fd], [], [], 1)[0]:
                continue
            try:
                got = os.read(self.fd, 65536)
            except OSError:
                break
            self.shown += re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", got.decode(errors="replace"))
        seen, self.shown = self.shown, ""
        return seen if re.search(pattern, seen, re.DOTALL) else None

    def type(self, text, pattern):
        os.write(self.fd, text.encode())
        return self.wait(pattern)

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)
        self.home.cleanup()


def typed(leatd, *options):
    name = " ".join(["redis-cli", *options])
    terminal = Terminal(leatd, *options)
    check(terminal.wait(r"127\.0\.0\.1:\d+> $"), f"{name} shows its prompt, and nothing before it")
    check(terminal.type("ru\t", r"(?i)run"), f"{name} completes a command")
    check(terminal.type(" ", r"job \[payload\] \[DEADLINE duration\] \[ID id\] \[ARG name value"), f"{name} hints what RUN takes")
    check(terminal.type("upper hello\r", r'"HELLO"\r+\n.*> $'), f"{name} runs a job")
    check(terminal.type("help run\r", r"summary: runs a job: its output\r+\n.*group: job\r+\n.*> $"), f"{name} helps with a command")
    check(terminal.type("help @connection\r", r"(HELLO|AUTH).*> $"), f"{name} helps with a group")
    check(terminal.type("hello ", r"\[2\|3 \[AUTH user token\] \[SETNAME name\]\]"), f"{name} hints what HELLO takes")
    check(terminal.type("3\r", r'"server" => "leat".*> $'), f"{name} changes the version")
    check(terminal.type("run nope x\r", r"\(error\) NOJOB .*> $"), f"{name} shows an error")
    check(terminal.type("select 1\r", r"\(error\) ERR DB index.*127\.0\.0\.1:\d+> $"), f"{name} stays where it is")
    check(terminal.type("quit\r", r"") is not None, f"{name} goes")
    terminal.close()


def ran(*words, **options):
    return subprocess.run(words, capture_output=True, timeout=120, **options)


def piped(leatd):
    command = b"*3\r\n$3\r\nRUN\r\n$4\r\necho\r\n$4\r\n\x00\r\n\xff\r\n"
    out = ran("redis-cli", "-p", str(leatd.port), "--pipe", input=command * 1000 + b"RUN nope x\r\n" + b"RUN echo x\r\n")
    check(b"errors: 1, replies: 1002" in out.stdout, "redis-cli --pipe counts its answers", out.stdout + out.stderr)


def benchmark(leatd):
    for words in (["-t", "ping"], ["-P", "16", "RUN", "echo", "hello"], ["-3", "RUN", "echo", "hello"]):
        out = ran("redis-benchmark", "-p", str(leatd.port), "-n", "2000", *words)
        check(out.returncode == 0 and not out.stderr and b"WARNING" not in out.stdout and b"rror" not in out.stdout,
              f"redis-benchmark {' '.join(words)} complains of nothing", out.stdout[-300:] + out.stderr)


def once(leatd):
    latency = ran("redis-cli", "-p", str(leatd.port), "-i", "1", "--latency", "--raw")
    check(re.match(rb"\d+ \d+ [\d.]+ \d+\n", latency.stdout), "redis-cli --latency measures", latency.stdout + latency.stderr)
    out = ran("redis-cli", "-3", "-p", str(leatd.port), "--json", "STATS", "echo")
    check(b'"job":"echo"' in out.stdout, "redis-cli --json prints maps", out.stdout + out.stderr)


def main():
    leatd = Leatd()
    typed(leatd)
    typed(leatd, "-3")
    piped(leatd)
    benchmark(leatd)
    once(leatd)
    leatd.stop()
    report("redis-cli")


main()
