import json
import re

from pipelines.command_line import run
from pipelines.commands.notebook import WORKED, notebook


def test_a_cell_of_words_is_markdown_and_any_other_is_code():
    made = notebook("# %% [markdown]\n# # Title\n#\n# Words.\n\n# %%\nfirst = 1\nfirst\n")
    words, code = made["cells"]
    assert (words["cell_type"], "".join(words["source"])) == ("markdown", "# Title\n\nWords.")
    assert (code["cell_type"], "".join(code["source"])) == ("code", "first = 1\nfirst")
    assert (code["outputs"], code["execution_count"]) == ([], None)


def test_the_worked_example_loses_no_line_on_its_way_into_a_notebook():
    text = WORKED.read_text()
    text = text[text.index("# %%") :]
    cells = notebook(text)["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells) == len(re.findall(r"^# %%", text, re.MULTILINE))
    kept = [line for cell in cells for line in "".join(cell["source"]).splitlines() if line.strip()]
    sent = [
        re.sub(r"^# ?", "", line) for line in text.splitlines() if line.strip("# \n") and not line.startswith("# %%")
    ]
    assert [re.sub(r"^# ?", "", line) for line in kept] == [re.sub(r"^# ?", "", line) for line in sent]


def test_a_notebook_opens_the_service_it_is_asked_for(tmp_path, capsys):
    assert run(["notebook", "--to", str(tmp_path / "a.ipynb"), "--home", str(tmp_path / "home")]) == 0
    made = json.loads((tmp_path / "a.ipynb").read_text())
    assert (made["nbformat"], made["nbformat_minor"]) == (4, 5)
    assert f"FILE = {str(tmp_path / 'home' / 'warehouse.duckdb')!r}" in "".join(made["cells"][1]["source"])
    assert capsys.readouterr().out.strip() == str(tmp_path / "a.ipynb")


def test_a_notebook_is_never_written_over(tmp_path, capsys):
    (tmp_path / "a.ipynb").write_text("mine")
    assert run(["notebook", "--to", str(tmp_path / "a.ipynb")]) == 2
    assert (tmp_path / "a.ipynb").read_text() == "mine"
    assert "nothing is written over" in capsys.readouterr().err
