"""The second half of the demonstration: a release that is denied, corrected, approved and allowed.

Everything is done by commands that anybody can repeat, each with the key of the person who runs it.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import join

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from catalog.commands.failure import CheckFailedError
from catalog.commands.questions import Versioned
from catalog.commands.remote import client_of

PATIENCE = 60  # seconds for one command
ENVIRONMENT = "production"
_EVERYTHING_READ = ("lineage:read", "policy:read")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the demonstration: who, what they do, and what their key may do."""

    address: str
    work: str
    scopes: tuple[str, ...]


ADA = Person("ada@bank.example", "administers, proposes policies", ("admin", "policy:write", *_EVERYTHING_READ))
BEN = Person("ben@bank.example", "administers, confirms policies", ("admin", "policy:write", *_EVERYTHING_READ))
DANA = Person("dana@bank.example", "develops the model; her pipeline sends the events", ("ingest:write",))
RITA = Person("rita@bank.example", "answers for model risk", ("approve", "attest", *_EVERYTHING_READ))
OMAR = Person("omar@bank.example", "owns the credit business", ("approve", *_EVERYTHING_READ))
PIPELINE = Person("release@bank.example", "the release pipeline", ("policy:evaluate", *_EVERYTHING_READ))


@dataclass(frozen=True, slots=True)
class Staff:
    """The keys of all, by address."""

    keys: Mapping[str, str]

    def key(self, person: Person) -> str:
        return self.keys[person.address]


def bootstrap(data: Path) -> str:
    """The first key of an empty data folder: Ada's, as `lineward keys create --bootstrap` makes it."""
    command = ["keys", "create", "--bootstrap", "--owner", ADA.address, "--data", str(data)]
    return _lineward(command, {}).stdout.strip()


def hire(url: str, first: str) -> Staff:
    """A key for each. Ben confirms what lets others approve: that takes two administrators."""
    with client_of(url) as client:
        keys = {ADA.address: first}
        keys[ADA.address] = _create(client, first, ADA)
        keys[BEN.address] = _create(client, keys[ADA.address], BEN)
        for person in (DANA, RITA, OMAR, PIPELINE):
            keys[person.address] = _create(client, keys[ADA.address], person, confirmed_by=keys[BEN.address])
    return Staff(keys)


def _create(client: httpx.Client, administrator: str, person: Person, confirmed_by: str | None = None) -> str:
    wanted = {"owner": person.address, "scopes": person.scopes}
    made = _posted(client, "/api/v1/keys", administrator, wanted)
    key = made["key"]
    if key["state"] == "PENDING":
        assert confirmed_by is not None
        _posted(client, f"/api/v1/keys/{key['id']}/confirm", confirmed_by, {})
    return str(made["secret"])


def _posted(client: httpx.Client, path: str, key: str, content: Mapping[str, object]) -> dict[str, dict[str, str]]:
    answer = client.post(path, json=content, headers={"Authorization": f"Bearer {key}"})
    told: dict[str, dict[str, str]] = answer.json()
    if not answer.is_success:
        raise CheckFailedError(f"{path} answers {answer.status_code}: {told}", "Report this.")
    return told


def show_staff(console: Console) -> None:
    table = Table("who", "does", "key may", box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for person in (DANA, RITA, OMAR, PIPELINE, ADA, BEN):
        table.add_row(Text(person.address, style="bold"), person.work, Text(", ".join(person.scopes), style="dim"))
    console.print(table)


@dataclass(frozen=True, slots=True)
class Release:
    """Runs commands against one server, and shows them with their output."""

    console: Console
    url: str
    staff: Staff
    folder: Path

    def tell(self, number: int, words: str) -> None:
        self.console.print()
        self.console.rule(Text(f"{number}. {words}", style="bold"), align="left")

    def denied(self, model: Versioned, policy: Path) -> None:
        """The rules come into force by two people; what risk management knows is stated; the gate is asked."""
        self.tell(4, f"May {_shorthand(model)} stay in production?")
        proposed = self.run(ADA, "policy", "apply", "base-ml-governance", str(policy))
        change = re.search(r"--confirm (\S+)", proposed)
        if change is None:
            raise CheckFailedError("the proposal has no id in its output", "Report this.")
        self.run(BEN, "policy", "apply", "--confirm", change[1])
        for statement, said in _STATEMENTS.items():
            settings = [word for pair in said for word in ("--set", pair)]
            whole = ("--namespace", model.namespace, "--model", model.name)
            self.run(RITA, "attest", *whole, "--type", statement, *settings, "--expires", "365d")
        self.gate(_shorthand(model), expected=1)

    def allowed(self, released: Versioned) -> None:
        """Without the column only approvals are missing; two people give them."""
        model = _shorthand(released)
        self.gate(model, expected=4)
        for person in (RITA, OMAR):
            self.run(person, "approve", model, "--env", ENVIRONMENT, "--yes")
        self.gate(
            model, "--json", str(self.folder / "decision.json"), "--attest", str(self.folder / "release.dsse.json")
        )

    def verified(self, data: Path) -> None:
        """Without server, network and database: the signature, every digest, and each verdict computed again."""
        key = next(data.glob("*.pub*"))
        self.run(None, "decision", "verify", str(self.folder / "decision.json"), "--key", str(key))
        self.run(None, "decision", "replay", str(self.folder / "decision.json"))

    def gate(self, model: str, *options: str, expected: int = 0) -> None:
        self.run(PIPELINE, "gate", model, "--env", ENVIRONMENT, *options, expected=expected)

    def run(self, person: Person | None, *command: str, expected: int = 0) -> str:
        """Show a command and what it prints. Raises CheckFailedError for another exit code than expected."""
        who = f"  as {person.address}" if person else "  offline"
        self.console.print(Text.assemble(("\n$ ", "dim"), join(["lineward", *command]), (who, "dim")), soft_wrap=True)
        own = {"LINEWARD_URL": self.url, "LINEWARD_API_KEY": self.staff.key(person)} if person else {}
        width = {"COLUMNS": str(self.console.width)} | ({"FORCE_COLOR": "1"} if self.console.is_terminal else {})
        done = _lineward(command, {**own, **width}, expected)
        self.console.out(done.stdout.rstrip(), highlight=False)
        return done.stdout


_STATEMENTS: Mapping[str, tuple[str, ...]] = {
    "inventory": ("owner=team:credit", "ownerUnit=Retail Credit"),
    "approvedUse": ("intendedPurpose=Ranking of loan applications for a credit officer", "uses=consumer credit"),
    "classification": ("riskTier=high", "annex=III", "jurisdictions=EU", "useCase=consumer credit"),
}


def _shorthand(model: Versioned) -> str:
    return f"{model.name}@{model.version}"


def _lineward(
    command: Iterable[str], environment: Mapping[str, str], expected: int = 0
) -> "subprocess.CompletedProcess[str]":
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LINEWARD_")}
    done = subprocess.run(
        [sys.executable, "-m", "catalog.cli", *command],
        env={**inherited, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode != expected:
        said = (done.stderr or done.stdout).strip()
        raise CheckFailedError(f"lineward {join(command)} ended with {done.returncode}: {said}", "Report this.")
    return done
