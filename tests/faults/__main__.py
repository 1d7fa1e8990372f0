"""`python -m tests.faults`: the index of faults, and the figures of the last long run, as tables for the docs."""

from tests.faults import last_run
from tests.faults.index import rows, table


def figures() -> str:
    """What the tests of each row counted, and how they ended."""
    day, tests = last_run.read()
    lines = [f"`make test-faults` of {day}:", "", "| | tests | seconds | counted |", "|---|---|---|---|"]
    for row in rows():
        found = [tests[test] for test in row.tests if test in tests]
        if found:
            ended = ", ".join(
                f"{n} {how}"
                for how in ("passed", "failed", "skipped")
                if (n := sum(getattr(each, how) for each in found))
            )
            counted = "; ".join(each for figure in found for each in figure.counted)
            lines.append(f"| {row.id} | {ended} | {sum(each.seconds for each in found):.0f} | {counted} |")
    return "\n".join(lines)


def main() -> None:
    print(table())
    print()
    try:
        print(figures())
    except FileNotFoundError:
        print("There are no figures yet: run `make test-faults`.")


if __name__ == "__main__":
    main()
