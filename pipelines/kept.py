"""Which published file a question is asked of: a version that is kept, or the current one.

Belongs here: finding it, and what is said where there is none. Does not belong here: what is asked.
"""

from pathlib import Path

from assets import warehouse
from assets.feeds.wrong_input import WrongInput


def published_file(folder: Path, *, version: str | None) -> Path:
    """The warehouse file of one version in a state folder; of the current one where none is named.

    Raises:
        WrongInput: where nothing is published, or that version is not kept.
    """
    chosen = version or warehouse.current_version(folder)
    if chosen is None:
        raise WrongInput("nothing is published there yet", place=f"--home {folder}", mend="run `nightly` or `demo`")
    if chosen not in warehouse.versions(folder):
        raise WrongInput(
            "no such version is kept", place=f"--version {chosen}", mend="see `versions` for those that are"
        )
    return folder / "published" / chosen / warehouse.WAREHOUSE_FILE
