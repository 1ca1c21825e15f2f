import asyncio
import json
import shutil

from assets import published, warehouse
from pipelines.gatekeeper import releases
from pipelines.gatekeeper.places import place_of
from pipelines.gatekeeper.releases import Releases
from tests.pipelines.gatekeeper import served

SLICE, PAGE = place_of("slices/six-months.json"), place_of("index.html")


def now(coroutine):
    return asyncio.run(coroutine)


def script_of(home):
    folder = home / "published" / warehouse.current_version(home) / "site"
    return place_of(next(folder.glob("assets/*.js")).relative_to(folder).as_posix())


def test_the_manifest_is_the_one_that_the_night_writes():
    assert releases.MANIFEST == published.MANIFEST_FILE


def test_before_the_first_night_nothing_is_current(tmp_path):
    found = Releases(tmp_path)
    assert now(found.current()) is None
    assert now(found.page(PAGE)) is None


def test_the_current_version_is_the_link_s_and_says_how_old_its_data_are(home):
    found = now(Releases(home).current())
    assert found.version == served.FIRST
    assert found.data_date.isoformat() == "2026-11-19"
    assert found.published_at.isoformat() == "2026-11-20T02:00:00+00:00"


def test_a_publication_is_seen_at_the_next_request(home):
    kept = Releases(home)
    assert now(kept.current()).version == served.FIRST
    served.publish(home, version=served.later(1))
    assert now(kept.current()).version == served.later(1)
    assert served.secret_of("index.html", served.later(1)).encode() in now(kept.page(PAGE))[1]


def test_a_rollback_is_a_publication_too(home):
    kept = Releases(home)
    served.publish(home, version=served.later(1))
    now(kept.current())
    warehouse.point_current_at(home, version=served.FIRST)
    assert now(kept.page(PAGE))[0].version == served.FIRST


def test_an_open_page_keeps_its_parts_when_its_version_is_pruned(home):
    kept = Releases(home)
    now(kept.current())
    script = script_of(home)
    for number in range(1, 4):
        served.publish(home, version=served.later(number), keep=1)
    assert not (home / "published" / served.FIRST).exists()
    assert json.loads(now(kept.part(SLICE, version=served.FIRST)))["version"] == served.FIRST
    assert served.FIRST.encode() in now(kept.shared(script)).body
    assert kept.is_known(served.FIRST)


def test_a_server_started_later_finds_kept_versions_on_the_disk_and_pruned_ones_nowhere(home):
    script = script_of(home)
    served.publish(home, version=served.later(1))
    kept = Releases(home)
    assert json.loads(now(kept.part(SLICE, version=served.FIRST)))["version"] == served.FIRST
    assert served.FIRST.encode() in now(kept.shared(script)).body
    shutil.rmtree(home / "published" / served.FIRST)
    assert now(kept.part(SLICE, version=served.FIRST)) is None
    assert now(kept.shared(script)) is None
    assert not kept.is_known(served.FIRST)


def test_a_page_that_is_missing_is_missing_and_a_link_is_no_page(home):
    kept = Releases(home)
    site = home / "published" / served.FIRST / "site"
    (site / "clinicians" / "C-9.html").symlink_to(home / "published" / served.FIRST / releases.MANIFEST)
    assert now(kept.page(place_of("clinicians/C-8.html"))) is None
    assert now(kept.page(place_of("clinicians/C-9.html"))) is None


def test_a_version_that_vanishes_between_two_steps_gives_way_to_the_next(home, monkeypatch):
    kept = Releases(home)
    now(kept.current())
    read = releases._read

    def publishes_first(file):
        monkeypatch.setattr(releases, "_read", read)
        served.publish(home, version=served.later(1), keep=1)
        return read(file)

    monkeypatch.setattr(releases, "_read", publishes_first)
    release, body = now(kept.page(PAGE))
    assert release.version == served.later(1)
    assert served.secret_of("index.html", served.later(1)).encode() in body


def test_a_version_that_vanishes_while_it_is_read_in_gives_way_to_the_next(home, monkeypatch):
    kept = Releases(home)
    load = kept._load

    def publishes_first(version):
        monkeypatch.setattr(kept, "_load", load)
        served.publish(home, version=served.later(1), keep=1)
        return load(version)

    monkeypatch.setattr(kept, "_load", publishes_first)
    assert now(kept.current()).version == served.later(1)


def test_memory_holds_what_recent_versions_share_and_lets_go_of_old_ones(home, monkeypatch):
    monkeypatch.setattr(releases, "_MOST_BYTES", 8_000)
    kept = Releases(home)
    for number in range(1, 8):
        served.publish(home, version=served.later(number), keep=1)
        now(kept.current())
    assert served.later(7) in kept._held
    assert len(kept._held) < 7
    assert len(kept._shared) < 7


def test_clients_parts_are_read_when_they_are_asked_for(home):
    kept = Releases(home)
    release = now(kept.current())
    client = place_of("clinicians/C-1/clients/K-1.csv")
    assert client.path not in release.parts
    assert now(kept.part(client, version=served.FIRST)) is not None
