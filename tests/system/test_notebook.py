"""The worked notebook, run over a published night."""

import json
import subprocess
import sys
from pathlib import Path

from pipelines.command_line import run
from tests.system.night_runs import Ended


def test_every_cell_of_the_worked_notebook_runs_over_a_published_night(night: Ended, tmp_path: Path):
    file = tmp_path / "worked.ipynb"
    assert run(["notebook", "--to", str(file), "--home", str(night.home)]) == 0
    cells = json.loads(file.read_text())["cells"]
    script = tmp_path / "worked.py"
    script.write_text("\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"))

    ended = subprocess.run(
        [sys.executable, "-W", "error", str(script)], capture_output=True, text=True, check=False, cwd=tmp_path
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    with night.warehouse() as con:
        sentences = con.sql(
            "SELECT sentence FROM analysis.alliance_levels WHERE method = 'corrected' AND scope = 'service'"
        )
        assert all(sentence in ended.stdout for (sentence,) in sentences.fetchall())
    assert "WAI-SR and PHQ-9" in ended.stdout.rpartition("pairs of")[0].rpartition("points of the next")[0]
