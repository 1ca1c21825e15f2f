"""`bench NAME`: run one benchmark, print what it measured, and say whether the goal held."""

import importlib
import inspect
import pkgutil
from typing import Any

import click

from assets.feeds.wrong_input import WrongInput
from pipelines import benchmarks
from pipelines.benchmarks.result import BenchResult, as_table, last_line

NO_BENCHMARKS = frozenset({"result", "corruption", "visits", "pull_servers"})


def names() -> list[str]:
    """The benchmarks there are."""
    return sorted({found.name for found in pkgutil.iter_modules(benchmarks.__path__)} - NO_BENCHMARKS)


def measure(name: str, **options: int | None) -> BenchResult:
    """Run the benchmark `name` with those options that were given.

    Raises:
        WrongInput: when there is no such benchmark, or it does not take one of the options.
    """
    if name not in names():
        raise WrongInput("there is no such benchmark", place=f"bench {name}", mend=f"choose {' or '.join(names())}")
    run = importlib.import_module(f"{benchmarks.__name__}.{name}").run
    given: dict[str, Any] = {option: value for option, value in options.items() if value is not None}
    for option in set(given) - set(inspect.signature(run).parameters):
        raise WrongInput("this benchmark takes no such option", place=f"bench {name} --{option}", mend="leave it out")
    result: BenchResult = run(**given)
    return result


@click.command(name="bench", epilog=f"Benchmarks: {', '.join(names())}.")
@click.argument("name")
@click.option("--rows", type=click.IntRange(min=1), help="How many rows to measure on.")
@click.option("--replicates", type=click.IntRange(min=1), help="How many times to repeat a simulation.")
def command(name: str, rows: int | None, replicates: int | None) -> int:
    """Measure one claim and print a table and a verdict; exit 0 where the goal held, 1 where it fell short."""
    result = measure(name, rows=rows, replicates=replicates)
    click.echo(as_table(result.rows))
    if result.sentence:
        click.echo(result.sentence)
    click.echo(last_line(name, result))
    return 0 if result.held else 1
