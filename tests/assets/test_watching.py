from datetime import date

from assets.feeds.landing import LandedFile
from assets.feeds.mapping import FeedMapping
from assets.watching import schema_changes

MAPPING = FeedMapping(feed="attendance", index=0, files="*.csv")


def landed(tmp_path, *texts, same_as=None):
    files = []
    for number, text in enumerate(texts, 1):
        path = tmp_path / f"{number}.csv"
        path.write_text(text, encoding="utf-8")
        files.append(
            LandedFile(
                file_number=number,
                name=f"day_{number}.csv",
                path=path,
                sha256="0" * 64,
                bytes=len(text),
                landed_on=date(2026, 1, number),
                claims=(MAPPING,),
                same_as=(same_as or {}).get(number),
            )
        )
    return files


def test_each_file_is_held_against_the_one_before_it_and_only_the_newest_warns(tmp_path):
    found = schema_changes(landed(tmp_path, "id,a\n1,2\n", "id\n1\n", "id,note\n1,x\n"), scratch=tmp_path)
    assert found.select("file", "file_before", "column_name", "change", "is_latest").rows() == [
        ("day_2.csv", "day_1.csv", "a", "missing", False),
        ("day_3.csv", "day_2.csv", "note", "new", True),
    ]
    assert found["sentence"][1] == 'day_3.csv: there is a new column "note"'


def test_the_same_bytes_again_are_no_newer_file(tmp_path):
    files = landed(tmp_path, "id,a\n1,2\n", "id\n1\n", "id,a\n1,2\n", same_as={3: 1})
    assert schema_changes(files, scratch=tmp_path)["is_latest"].to_list() == [True]


def test_a_first_file_has_nothing_to_be_held_against(tmp_path):
    assert schema_changes(landed(tmp_path, "id,a\n1,2\n"), scratch=tmp_path).height == 0
