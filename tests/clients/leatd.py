"""A real leatd for the tests of this folder, and what they say to it by themselves. LEATD names the program (default: build/leatd)."""
import os
import re
import subprocess
import tempfile

CONFIG = """[job echo]
builtin = echo
queue = 10000
[job upper]
exec = tr a-z A-Z
[job sleep]
builtin = sleep
"""


class Leatd:
    """Started on `port` (0: a free one), and ready."""

    def __init__(self, *options, port=0):
        self.folder = tempfile.TemporaryDirectory(prefix="leatd-")
        config = os.path.join(self.folder.name, "leatd.ini")
        with open(config, "w") as file:
            file.write(CONFIG)
        self.process = subprocess.Popen(
            [os.environ.get("LEATD", "build/leatd"), "-c", config, "-o", f"server.listen=127.0.0.1:{port}", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.log = ""
        for line in self.process.stderr:
            self.log += line
            ready = re.search(r"ready.*listen=127\.0\.0\.1:(\d+)", line)
            if ready:
                self.port = int(ready[1])
                return
        raise RuntimeError(f"leatd ended:\n{self.log}")

    def stop(self):
        self.process.terminate()
        self.process.stderr.read()
        status = self.process.wait()
        self.folder.cleanup()
        check(status == 0, f"leatd ends 0, not {status}")


counts = {"checks": 0, "failures": 0}


def check(holds, sentence, seen=None):
    """One expectation, in the words of what it proves."""
    counts["checks"] += 1
    if not holds:
        counts["failures"] += 1
        print(f"FAILED: {sentence}" + (f"\n  seen: {seen!r}" if seen is not None else ""))


def report(name):
    print(f"{name}: {counts['checks']} checks, {counts['failures']} failed")
    raise SystemExit(1 if counts["failures"] else 0)
