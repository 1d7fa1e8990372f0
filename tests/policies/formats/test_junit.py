"""JUnit: red exactly where the gate is shut, and XML whatever anybody says."""

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.formats.document import Decision, decision_of
from policies.formats.junit import junit
from policies.verdict import Enforcement, ItemResult, Verdict
from tests.policies.attestation.decisions import ADVISED, BROKEN, DENIED, PASSED, WAIVER, allow, body, deny, result

CHILDREN: dict[str, list[str]] = {  # in this order, of what Jenkins' junit-10.xsd allows
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase"],
    "testcase": ["skipped", "error", "failure", "system-out"],
    "properties": ["property"],
    "property": [],
    "skipped": [],
    "error": [],
    "failure": [],
    "system-out": [],
}
ATTRIBUTES = {  # all that it allows, and we always give
    "testsuites": {"name", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "timestamp", "time"},
    "testcase": {"name", "classname", "time"},
    "property": {"name", "value"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
}


def report(decision: Decision) -> Element:
    """The report, after a look at its shape and its sums."""
    root = ElementTree.fromstring(junit(decision).encode())
    for element in root.iter():
        allowed = CHILDREN[element.tag]
        places = [allowed.index(child.tag) for child in element]
        assert places == sorted(places)
        assert set(element.attrib) == ATTRIBUTES.get(element.tag, set())
    for suite in [root, *root]:
        for count, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(count, len(list(root.iter(tag))))) == len(list(suite.iter(tag)))
    return root


def shown(decision: Decision) -> dict[str, str]:
    """Each case by its control, and what is in it."""
    cases = report(decision).iter("testcase")
    return {case.attrib["name"].split()[0]: " ".join(c.tag for c in case if c.tag != "system-out") for case in cases}


def test_a_failure_for_what_blocks_and_skipped_for_what_does_not_apply() -> None:
    assert shown(deny()) == {"B-01": "", "B-06": "failure", "B-09": "skipped"}
    failure = report(deny()).find(".//failure")
    assert failure is not None
    assert failure.attrib["message"] == "col:sex: sex reaches the model"
    assert (failure.text or "").splitlines() == [
        "col:sex: sex reaches the model",
        "col:age: unknown",
        "missing: column.labels (never classified)",
        "Remedy of B-06.",
    ]


def test_a_waived_control_passes_and_says_by_what() -> None:
    assert shown(allow()) == {"B-01": "", "B-03": "", "B-09": "skipped", "B-10": "skipped"}
    found = {each.attrib["name"]: each.attrib["value"] for each in report(allow()).iter("property")}
    assert found["waived B-03"] == f"{WAIVER}; unknown without it"
    assert any(f"waived by: {WAIVER}" in (each.text or "") for each in report(allow()).iter("system-out"))


def test_an_allowed_release_is_green() -> None:
    root = report(allow())
    assert (root.attrib["failures"], root.attrib["errors"]) == ("0", "0")


@pytest.mark.parametrize("state", ["DENY", "PENDING", "INDETERMINATE"])
@pytest.mark.parametrize("controls", [(), (PASSED,), (ADVISED,), (BROKEN,), (DENIED,)], ids=str)
def test_a_shut_gate_is_never_green(state: str, controls: tuple[object, ...]) -> None:
    root = report(decision_of(body(state, *controls)))  # type: ignore[arg-type]
    assert int(root.attrib["failures"]) + int(root.attrib["errors"]) > 0


def test_a_suite_for_each_pack() -> None:
    other = result("E-1", Verdict.FAIL, pack="eu@2.0.0", enforcement=Enforcement.WARN)
    suites = report(decision_of(body("DENY", DENIED, other)))
    assert [suite.attrib["name"] for suite in suites] == ["base@1.0.0", "eu@2.0.0"]


@given(st.text(st.characters(codec="utf-8")), st.text(st.sampled_from("\x00\x0b\x1b\u202e\ufffe<>&\"']]>\n a")))
def test_whatever_is_said_it_is_xml(said: str, worse: str) -> None:
    items = (ItemResult(worse, said, Verdict.FAIL, worse), ItemResult(None, worse, Verdict.UNKNOWN, said))
    control = result("B-01", Verdict.FAIL, title=worse, remediation=worse, citation=said, items=items)
    target = {**deny().document["target"], "name": worse}
    report(decision_of(body("DENY", control, BROKEN, target=target)))
