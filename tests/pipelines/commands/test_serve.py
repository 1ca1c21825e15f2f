import pytest

from pipelines.command_line import run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no configuration is given; give --config FILE or --demo"),
        (["--demo", "--config", "server.toml"], "the demonstration has no configuration"),
        (["--config", "server.toml", "--port", "8081"], "set server.port there"),
        (["--config", "missing.toml"], "the file can't be read"),
        (["--demo"], "run `python3 -m pipelines demo`"),
    ],
)
def test_what_can_not_be_served_is_one_line_with_the_mend(words, said, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAPPORT_SERVER", raising=False)
    assert run(["serve", "--home", str(tmp_path), *words]) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("\n") == 1


def test_the_environment_may_name_the_configuration(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RAPPORT_SERVER", str(tmp_path / "named.toml"))
    assert run(["serve", "--home", str(tmp_path)]) == 2
    assert "named.toml" in capsys.readouterr().err
