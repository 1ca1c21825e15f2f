"""`extract`: a Parquet file of courses of treatment in which nobody can be told from k - 1 others, with its dictionary."""

import shutil
from pathlib import Path

import click

from assets.feeds.wrong_input import WrongInput
from pipelines import options
from pipelines.state import state_folder

ROWS, DICTIONARY = "courses.parquet", "DICTIONARY.md"


@click.command(name="extract")
@click.option("--k", type=click.IntRange(min=2), default=10, show_default=True, help="Clients who share a combination.")
@click.option("--to", required=True, type=click.Path(path_type=Path, file_okay=False), help="A folder to make.")
@options.home()
def command(k: int, to: Path, home: str | None) -> int:
    """Write a k-anonymous extract of the published warehouse: no codes, coarse circumstances, scores as they are."""
    from assets import warehouse  # noqa: PLC0415 -- --help should not wait for it
    from assets.estimates.extract import SELECT, extract  # noqa: PLC0415
    from assets.whole_files import beside  # noqa: PLC0415
    from pipelines.kept import published_file  # noqa: PLC0415

    file = published_file(state_folder(home), version=None)
    if to.exists():
        raise WrongInput("it is there already", place=f"--to {to}", mend="name a folder that is not there yet")
    with warehouse.open_published(file) as con:
        courses = warehouse.read_frame(con, SELECT)
        data_date = con.sql("SELECT data_date FROM quality.run").fetchall()[0][0]
    made = extract(courses, k=k, data_date=data_date)
    unfinished = beside(to)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    made.rows.write_parquet(unfinished / ROWS)
    (unfinished / DICTIONARY).write_text(made.dictionary, encoding="utf-8")
    for path in unfinished.iterdir():
        path.chmod(0o640)
    unfinished.replace(to)
    click.echo(f"{made.summary}.\n{to / ROWS}\n{to / DICTIONARY}")
    return 0
