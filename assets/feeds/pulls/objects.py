"""Object stores: each object is fetched as it is, under its own name, when it is new or has changed.

Belongs here: listing and fetching. Does not belong here: what a file holds: it is read as a dropped file is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import from_url

from assets.feeds.mapping import glob_to_regex
from assets.feeds.pulls.settings import ObjectPull
from assets.feeds.pulls.source import Fetched, Item, PullFailedError
from assets.feeds.wrong_input import WrongInput

_PIECE: Final = 8 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class ObjectFolder:
    """One folder of a store.

    Attributes:
        settings: which objects.
        secrets: the store's secret settings by name.
    """

    settings: ObjectPull
    secrets: Mapping[str, str] = field(repr=False)

    def new_items(self, marks: Mapping[str, str]) -> Iterable[Item]:
        """The objects that a glob asks for and that are new or not as they were."""
        wanted = [glob_to_regex(glob) for glob in self.settings.files]
        for name, mark in sorted(self._listed()):
            if any(glob.fullmatch(name) for glob in wanted) and marks.get(name) != mark:
                yield Item(name=name, subject=name, mark=mark)

    def fetch(self, item: Item, *, to: Path, last_mark: str | None) -> Fetched:  # noqa: ARG002 - an object is fetched whole
        """Fetch one object, to its last byte."""
        size = 0
        try:
            answer = obstore.get(self._store(), item.name)
            with to.open("wb") as opened:
                for piece in answer.stream(min_chunk_size=_PIECE):
                    size += opened.write(piece)
        except (BaseError, OSError) as error:
            raise _failed(error, "an object was not fetched to its end") from error
        if size != answer.meta["size"]:
            raise PullFailedError("an object was not fetched to its end")
        return Fetched(mark=item.mark, rows=size, is_empty=False)

    def _listed(self) -> Iterable[tuple[str, str]]:
        try:
            found = [each for page in obstore.list(self._store()) for each in page]
        except (BaseError, OSError) as error:
            raise _failed(error, "the store did not list its objects") from error
        for each in found:
            if not each["path"].endswith("/"):
                yield each["path"], f"{each['e_tag'] or each['last_modified'].isoformat()} {each['size']}"

    def _store(self) -> obstore.store.ObjectStore:
        if self.settings.url.startswith("file:"):
            return obstore.store.LocalStore(urlsplit(self.settings.url).path)
        options: dict[str, object] = {**self.settings.options, **self.secrets}
        is_plain = options.pop("allow_http", "false") == "true"
        store: obstore.store.ObjectStore = from_url(
            self.settings.url,
            config=options,  # type: ignore[call-overload]
            client_options={"timeout": timedelta(seconds=self.settings.seconds), "allow_http": is_plain},
            # Asking again is the pull's own business, so that a night knows how long it waits.
            retry_config={"max_retries": 0},
        )
        return store


def _failed(error: Exception, what: str) -> Exception:
    if isinstance(error, (PermissionDeniedError, UnauthenticatedError)):
        return WrongInput("the store does not let us in", place="pulls", mend="see its keys and what they may do")
    return PullFailedError(f"{what} ({type(error).__name__})")
