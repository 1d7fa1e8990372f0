"""What axe finds on a page."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
AXE = ROOT / "graphql" / "explorer" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")


def serious(page: Page) -> list[str]:
    """Rules of WCAG 2.2 A and AA that it finds broken seriously or worse, each with the elements."""
    page.evaluate(AXE.read_text())
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found: Any = page.evaluate("tags => axe.run(document, {runOnly: tags})", tags)
    return [
        f"{one['id']}: {[node['html'][:160] for node in one['nodes']]}"
        for one in found["violations"]
        if one["impact"] in GRAVE
    ]
