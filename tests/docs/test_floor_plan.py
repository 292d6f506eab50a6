"""The floor plan is the house: its layers are the contract's, its rooms are all there, its paths and names exist.

What must not enter: a rule about imports; import-linter keeps those.
"""

from __future__ import annotations

import re
import tomllib

from tests.docs.pages import ROOT, blocks, code, pages, prose, table_under

PLAN = (ROOT / "docs" / "floor-plan.md").read_text(encoding="utf-8")
PACKAGES = "telecom|router|gateway|simulators|ussd|voice|modem_pool|admin_api|firmware|systemd|tests|docs"


def test_the_layers_are_those_of_the_contract() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {each["id"]: each for each in project["tool"]["importlinter"]["contracts"]}
    kept = [re.sub(r"[()]", "", layer) for layer in contracts["inside-gateway"]["layers"]]
    drawn = next(block.text.splitlines() for block in blocks(PLAN) if block.info == "layers")
    assert drawn == kept


def test_every_room_of_the_gateway_is_told() -> None:
    rooms = {
        f"gateway/{each.name}"
        for each in (ROOT / "gateway").iterdir()
        if (each.is_dir() and (each / "__init__.py").exists()) or (each.suffix == ".py" and each.name != "__init__.py")
    }
    assert {code(room)[0] for room, _ in table_under(PLAN, "Inside the gateway")} == rooms


def test_every_step_names_something_that_is_there() -> None:
    for step, file, name, _ in table_under(PLAN, "The way of a message"):
        source = (ROOT / code(file)[0]).read_text(encoding="utf-8")
        assert re.search(rf"def {code(name)[0]}\(", source), f"{step}: {file} has no {name}"


def test_paths_in_backticks_exist() -> None:
    for page in pages():
        for number, line in enumerate(prose(page.read_text(encoding="utf-8")).splitlines(), 1):
            for path in re.findall(rf"`((?:{PACKAGES})/[\w/.-]+)`", line):
                known = (ROOT / path).exists() or "not built" in line or path in ("modem_pool/at", "voice/ami")
                assert known, f"{page.relative_to(ROOT)}:{number}: {path} is not there"
