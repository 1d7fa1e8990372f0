"""A company: people with keys, a pack and a binding of its own, and a model that waits for its release."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.catalog.commands.conftest import OTHER, TRAIN, Lineward, training, write_log

ENVIRONMENT = "production"
EVERYTHING = ("policy:write", "policy:read", "policy:evaluate", "lineage:read", "approve", "waive", "attest")
READS = ("lineage:read", "policy:read", "policy:evaluate")
FIRST = ("keys", "create", "--bootstrap", "--owner", "ann@example.org")
PACK = """\
apiVersion: lineward.dev/v1
kind: PolicyPack
metadata: {name: house, version: 1.0.0, status: reviewed, reviewedBy: [{name: Lex}]}
source: {instrument: House rules, uri: "https://example.org/rules", binding: internal, certainty: enacted}
params: {approvers: {type: int, default: 2, min: 1, max: 9, note: ours}}
controls:
- id: H-1
  title: Somebody answers for it
  citation: {article: "1"}
  plain: Somebody answers for the model.
  severity: high
  assurance: attested
  requires: [{expression: has(subject.owner), missing: nobody is told who answers for it}]
  checks: [{id: owner, expression: "subject.owner != ''", message: the owner is nobody}]
  remediation: Attest an inventory with an owner.
- id: H-2
  title: Four eyes
  citation: {article: "2"}
  plain: "{approvers} people approved it."
  severity: critical
  assurance: attested
  variables:
  - name: counted
    expression: approvals.filter(a, a.environment == environment && a.current && a.person != requester)
  requires: [{expression: environment != '', missing: no environment is named}]
  checks:
  - id: people
    expression: variables.counted.map(a, a.person).distinctCount() >= params.approvers
    message: too few people have approved it
  awaits: approvals
  remediation: Let two people approve it.
  waivable: false
"""
BINDING = """\
apiVersion: lineward.dev/v1
kind: PolicyBinding
metadata: {name: ours}
environments: [production]
packs: [{name: house}]
"""


@dataclass(frozen=True, slots=True)
class Company:
    """Runs commands in a folder, or at a server, with somebody's key."""

    lineward: Lineward
    place: tuple[str, ...]
    keys: Mapping[str, str]
    folder: Path

    @property
    def data(self) -> Path:
        """The folder, where there is no server."""
        return Path(self.place[1])

    def run(self, who: str, *arguments: str | Path, **options: Any) -> Any:
        """`.exit_code`, `.stdout`, `.stderr`."""
        environment = {"LINEWARD_API_KEY": self.keys[who], "COLUMNS": "200"} | options.pop("env", {})
        return self.lineward(*arguments, *self.place, env=environment, **options)

    def does(self, who: str, *arguments: str | Path, **options: Any) -> str:
        """What a command that succeeds prints."""
        done = self.run(who, *arguments, **options)
        assert done.exit_code == 0, done.stderr
        return str(done.stdout)

    def gate(self, *options: str | Path, who: str = "pipe", version: str = "1", **more: Any) -> Any:
        return self.run(who, "gate", f"risk@{version}", "--env", ENVIRONMENT, *options, **more)

    def written(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def enact(self, *names: str | Path) -> None:
        """By two people."""
        proposal = id_in(self.does("ann", "policy", "apply", *names))
        self.does("ben", "policy", "apply", "--confirm", proposal)

    def enact_ours(self) -> None:
        self.enact(self.written("house.yaml", PACK), self.written("ours.yaml", BINDING))

    def name_owner(self, version: str = "1") -> None:
        self.does(
            "carl", "attest", f"risk@{version}", "--type", "inventory", "--set", "owner=team:risk", "--expires", "9d"
        )

    def approve(self, *people: str, version: str = "1") -> None:
        for person in people:
            self.does(person, "approve", f"risk@{version}", "--env", ENVIRONMENT)


def id_in(told: str) -> str:
    """The id of an act, the second or third word of what is told of it."""
    return next(word for word in told.split() if word[2:3] == "_" and len(word) > 20)


def hire(run: Callable[..., str], first: str) -> dict[str, str]:
    """The keys of ann and ben, who administer, of carl and dora, who act, and of a pipeline.

    `first` administers; `run(key, *command)` runs a command with a key and gives what it prints.
    """
    keys = {name: run(first, *new_key(name, "admin", "policy:write", *READS)).strip() for name in ("ann", "ben")}
    keys["pipe"] = run(keys["ann"], *new_key("pipe", *READS)).strip()
    for name in ("carl", "dora"):
        keys[name] = run(keys["ann"], *new_key(name, *EVERYTHING)).strip()
        run(keys["ben"], "keys", "confirm", keys[name].split("_")[1])
    return keys


def new_key(name: str, *scopes: str) -> Iterator[str]:
    yield from ("keys", "create", "--owner", f"{name}@example.org")
    for scope in scopes:
        yield from ("--scope", scope)


def founded(lineward: Lineward, data: Path) -> dict[str, str]:
    """A folder with two versions of `risk` in one registry, and its people's keys."""
    write_log(data, training(TRAIN, "registry", "1") + training(OTHER, "registry", "2"))

    def run(key: str, *command: str) -> str:
        done = lineward(*command, "--data", data, env={"LINEWARD_API_KEY": key})
        assert done.exit_code == 0, done.stderr
        return str(done.stdout)

    return hire(run, run("", *FIRST).strip())
