import pytest

from assets.feeds.wrong_input import WrongInput
from pipelines.gatekeeper.names import read_names


def written(tmp_path, text, *, name="names.csv"):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def test_a_directory_is_a_csv_of_codes_and_names(tmp_path):
    file = written(tmp_path, '\ufeffcode,name\r\nC-1,"First, Clinician"\r\n\r\nC-2, Second Clinician \r\n')
    assert read_names(file) == {"C-1": "First, Clinician", "C-2": "Second Clinician"}


def test_a_directory_may_be_toml(tmp_path):
    file = written(tmp_path, '[names]\n"C-1" = "First Clinician"\n', name="names.toml")
    assert read_names(file) == {"C-1": "First Clinician"}


def test_two_people_of_one_name_keep_their_codes_beside_it(tmp_path):
    file = written(tmp_path, "code,name\nC-1,Same Name\nC-2,Same Name\nC-3,Other Name\n")
    assert read_names(file) == {"C-1": "Same Name (C-1)", "C-2": "Same Name (C-2)", "C-3": "Other Name"}


@pytest.mark.parametrize(
    "text",
    [
        "C-1,First\n",
        "code,name\nC-1\n",
        "code,name\nC-1,First,more\n",
        "code,name\nC-1,First\nC-1,Second\n",
        "code,name\nC-1,\n",
        "code,name\n,First\n",
        'code,name\nC-1,"First\u0007"\n',
        'code,name\nC-1,"Fir"st"\n',
    ],
)
def test_a_wrong_directory_is_told_without_any_name(tmp_path, text):
    with pytest.raises(WrongInput) as wrong:
        read_names(written(tmp_path, text))
    assert "First" not in str(wrong.value)
    assert "names.csv" in wrong.value.place
