"""A FHIR server that is searched: page by page, each kind of resource into a file of its own, only what is new or changed.

Belongs here: paging, and that nothing is lost or doubled on the way. Does not belong here: an export (`fhir_bulk`), what a
row is made of (`fhir_rows`).

The newest come first. What changes while the pages are read moves to pages already read, so a second search asks for what
changed since the first began, and the next night asks from where that one began. Where the server's pages end before they
are read (410, or a next page that is not found), the search begins again at the oldest resource seen, or at its beginning
where they did not come in order. Whatever came twice stands once in the file, in its newest version. A server that says
how many resources there are is held to the most that it said, since what is deleted while pages are read pulls others to
pages already read; only where as many come as go between two pages would that go unseen.

A deleted resource is in no search: what an earlier file said of it stands. `way = "bulk"` learns of it.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from assets.feeds.pulls.fhir_forms import known_forms
from assets.feeds.pulls.fhir_pages import Page
from assets.feeds.pulls.fhir_rows import ResourceFile
from assets.feeds.pulls.fhir_server import FhirServer
from assets.feeds.pulls.fhir_settings import FhirPull, Resource
from assets.feeds.pulls.fhir_sign_in import Tokens
from assets.feeds.pulls.patience import patiently
from assets.feeds.pulls.source import Fetched, Item, PullFailedError
from assets.feeds.pulls.web import open_web, server_time

_GONE: Final = (404, 410)
_BEGINNINGS: Final = 4
# A web server's clock is told to the second, and may not be the database's.
_LAG: Final = timedelta(minutes=1)
# Moments are asked for to the millisecond, which must not cut off those within it.
_TICK: Final = timedelta(milliseconds=1)


@dataclass(kw_only=True)
class FhirSource:
    """One server and what is pulled there, in either way.

    Attributes:
        name: the pull's.
        settings: the resources.
        tokens: how it lets us in.
        zone: the clinic's own, in which moments are written.
        now: names the files.
        wait: seconds before the server is asked a second time for anything.
    """

    name: str
    settings: FhirPull
    tokens: Tokens = field(repr=False)
    zone: ZoneInfo
    now: datetime
    wait: float

    def new_items(self, marks: Mapping[str, str]) -> Iterable[Item]:  # noqa: ARG002 - only an answer shows what is new
        """A file for each kind of resource, named after tonight: what it brings is known when it has been asked for."""
        moment = self.now.astimezone(self.zone).strftime("%Y%m%dT%H%M%S")
        return [Item(name=f"{each}-{moment}.parquet", subject=each, mark=None) for each in self.settings.resources]

    def resource_of(self, item: Item) -> Resource:
        """The kind that a file is of."""
        return next(each for each in self.settings.resources if each == item.subject)

    def file_of(self, resource: Resource, *, to: Path, is_paged: bool) -> ResourceFile:
        """A new file of one kind."""
        forms = known_forms(self.settings.questionnaires, totals=self.settings.totals)
        return ResourceFile(to, resource=resource, is_paged=is_paged, forms=forms, zone=self.zone)

    @contextmanager
    def server(self) -> Iterator[FhirServer]:
        """The server, while it is being asked."""
        place = f"pulls.{self.name}"
        with open_web(place=place, seconds=self.settings.seconds) as web:
            yield FhirServer(settings=self.settings, place=place, web=web, tokens=self.tokens)


@dataclass(kw_only=True)
class FhirSearch(FhirSource):
    """One server that is searched."""

    def fetch(self, item: Item, *, to: Path, last_mark: str | None) -> Fetched:
        """Search for one kind of resource and write its rows."""
        resource = self.resource_of(item)
        with self.server() as server, self.file_of(resource, to=to, is_paged=True) as file:
            search = _Search(source=self, server=server, resource=resource, file=file)
            began = search.run(since=since(last_mark, self.settings))
            mark = search.run(since=began - _LAG)
            search.check()
        # Which rows stand is known once the file is closed.
        check_that_some_are_known(server, file, resource=resource, is_first=last_mark is None)
        return Fetched(mark=mark.isoformat(), rows=file.rows, is_empty=file.rows == 0 and last_mark is not None)


def since(mark: str | None, settings: FhirPull) -> datetime | None:
    """From when on changes are asked for; None asks for everything."""
    return None if mark is None else datetime.fromisoformat(mark) - timedelta(minutes=settings.overlap_minutes)


def check_that_some_are_known(server: FhirServer, file: ResourceFile, *, resource: Resource, is_first: bool) -> None:
    """Hold a first pull of forms to having brought one that is known.

    Raises:
        WrongInput: where not one of them is; later on there may be nights that bring only other forms.
    """
    if is_first and file.resources and not file.rows:
        raise server.wrong(
            f"not one {resource} is a form that is known",
            key="questionnaires",
            mend="list the questionnaires' addresses and the link ids of their items, or take the resource out",
        )


@dataclass(kw_only=True)
class _Search:
    """The searches of one fetch, with all their pages."""

    source: FhirSearch
    server: FhirServer
    resource: Resource
    file: ResourceFile
    _most: int = field(default=0, init=False)

    def run(self, *, since: datetime | None) -> datetime:
        """Read every page; when it began, by the server's clock."""
        began, until = None, None
        for _ in range(_BEGINNINGS):
            self.file.begin_search()
            moment, is_whole = self._pages(since=since, until=until)
            began = began or moment
            found = self.file.found()
            if is_whole:
                return began
            until = found.oldest if self.source.settings.sorts and found.is_newest_first else until
        raise PullFailedError("the server's pages end before they are read")

    def check(self) -> None:
        """Hold what came to what the server says there is.

        Raises:
            PullFailedError: where pages slipped, as they do where something is deleted while they are read.
            WrongInput: where the server says that it could not give everything.
        """
        found = self.file.found()
        if self.source.settings.may_lack:
            return
        if found.issues:
            raise self.server.wrong(
                f"the server could not give every {self.resource} ({', '.join(dict.fromkeys(found.issues))})",
                mend="ask its keepers, or write may_lack = true",
            )
        if found.resources < self._most:
            raise PullFailedError(f"the server's pages held fewer of {self.resource} than it counts")

    def _pages(self, *, since: datetime | None, until: datetime | None) -> tuple[datetime, bool]:
        """When the first page was made, and whether the last was reached."""
        url: str | None = self._url(since=since, until=until)
        asked: set[str] = set()
        moment = self.source.now
        while url is not None:
            if url in asked:
                raise PullFailedError("the server's pages lead round in a circle")
            page, told = self._page(url, is_first=not asked)
            if page is None:
                return moment, False
            moment = moment if asked else told
            asked.add(url)
            self._most = max(self._most, page.total or 0)
            following = page.links.get("next")
            url = None if following is None else self.server.own_address(following, seen_at=url)
        return moment, True

    def _page(self, url: str, *, is_first: bool) -> tuple[Page | None, datetime]:
        """One page, taken into the file once its last byte is here; none where the server has forgotten it."""

        def ask() -> tuple[Page | None, datetime]:
            with self.server.asked(url, understood=() if is_first else _GONE) as answer:
                body = answer.whole()
                if answer.status in _GONE:
                    return None, self.source.now
                page = self.file.add_page(body)
                moment = server_time(answer.headers) or page.made_at or self.source.now
            if page.kind != "Bundle":
                codes = ", ".join(page.issues) or "it does not say why"
                raise PullFailedError(f"the server answered with no page ({codes})")
            return page, moment

        return patiently(ask, name=self.source.name, wait=self.source.wait)

    def _url(self, *, since: datetime | None, until: datetime | None) -> str:
        settings = self.source.settings
        asked = [*settings.only.get(self.resource, {}).items(), ("_count", str(settings.page))]
        if settings.sorts:
            asked.append(("_sort", "-_lastUpdated"))
        asked += [
            ("_lastUpdated", f"{sign}{moment.isoformat(timespec='milliseconds')}")
            for sign, moment in (("ge", since), ("le", until and until + _TICK))
            if moment is not None
        ]
        return f"{settings.base}/{self.resource}?{urlencode(asked)}"
