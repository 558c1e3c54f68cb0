"""The reference page is what the code says."""

from pathlib import Path

from rppg_ros.settings.files import NODES
from rppg_ros.settings.reference import page
from rppg_ros.settings.schema import settings_of

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_page_is_up_to_date():
    assert PAGE.read_text() == page(), "run `make docs`"


def test_every_setting_of_every_node_has_a_row():
    rows = page().splitlines()
    for node, group in NODES.items():
        section = rows[rows.index(f"## {node}") :]
        for name in settings_of(group):
            assert any(row.startswith(f"| `{name}` |") for row in section), f"{node}: {name}"
