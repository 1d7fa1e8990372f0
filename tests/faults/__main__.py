"""`python -m tests.faults`: the index of faults, and the figures of the last long run, as tables for the docs."""

from collections.abc import Sequence

from tests.faults import last_run
from tests.faults.index import rows, table
from tests.faults.last_run import Figures


def figures() -> str:
    """What the tests of each row counted, and how they ended."""
    day, tests = last_run.read()
    lines = [f"`make test-faults` of {day}:", "", "| | tests | seconds | counted |", "|---|---|---|---|"]
    for row in rows():
        found = [tests[test] for test in row.tests if test in tests]
        if found:
            counted = "; ".join(each for figures in found for each in figures.counted)
            lines.append(f"| {row.id} | {ended(found)} | {sum(each.seconds for each in found):.0f} | {counted} |")
    return "\n".join(lines)


def ended(found: Sequence[Figures]) -> str:
    counts = {how: sum(getattr(each, how) for each in found) for how in ("passed", "failed", "skipped")}
    return ", ".join(f"{count} {how}" for how, count in counts.items() if count)


def main() -> None:
    print(table())
    print()
    try:
        print(figures())
    except FileNotFoundError:
        print("There are no figures yet: run `make test-faults`.")


if __name__ == "__main__":
    main()
