"""A redis-server of our own."""
import socket
import subprocess
import tempfile
import time


class RedisServer:
    """Listens on a free port of 127.0.0.1, keeps nothing, and ends with the `with` block."""

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        arguments = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no", "--dir", self.directory.name]
        self.process = subprocess.Popen(["redis-server", *arguments], stdout=subprocess.DEVNULL)
        for _ in range(100):
            if subprocess.run(["redis-cli", "-p", str(self.port), "PING"], capture_output=True, check=False).stdout == b"PONG\n":
                return self
            time.sleep(0.05)
        self.__exit__()
        raise SystemExit("bench: redis-server does not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.directory.cleanup()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def ask(self, *command, data=None):
        """What redis-cli prints."""
        more = ["-x"] if data else []
        done = subprocess.run(["redis-cli", "-p", str(self.port), *more, *command], input=data, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def info(self, section):
        lines = (line.split(":", 1) for line in self.ask("INFO", section).splitlines() if ":" in line)
        return {name: value.strip() for name, value in lines}

    def cpu(self):
        """Seconds of CPU so far, user and kernel."""
        info = self.info("cpu")
        return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])

    def memory(self):
        """Bytes in use."""
        return int(self.info("memory")["used_memory"])
