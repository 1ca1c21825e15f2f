import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from assets.feeds.pulls.objects import ObjectFolder
from assets.feeds.pulls.settings import ObjectPull
from assets.feeds.pulls.source import PullFailedError


@pytest.fixture(scope="module")
def s3():
    """A server that speaks S3, on a port of its own."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3):
    """Puts an object into an empty bucket, behind the server's back, which is quicker by far."""
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    backend.create_bucket("clinic", "eu-west-2")
    yield lambda name, content: backend.put_object("clinic", name, content)
    backend.reset()


def folder_of(endpoint, *, url="s3://clinic/exports", files=("**",)):
    settings = ObjectPull(
        kind="objects",
        url=url,
        files=files,
        options={"endpoint": endpoint, "region": "eu-west-2", "allow_http": "true"},
        secrets={"access_key_id": "KEY", "secret_access_key": "SECRET"},
    )
    return ObjectFolder(settings=settings, secrets={"access_key_id": "key", "secret_access_key": "hidden"})


def names(source, marks=None):
    return [item.name for item in source.new_items(marks or {})]


def test_only_what_lies_in_the_folder_and_is_asked_for_is_listed(s3, bucket):
    for name in ("exports/a.csv", "exports/deep/b.csv", "exports/c.pdf", "other/d.csv"):
        bucket(name, b"x")
    assert names(folder_of(s3)) == ["a.csv", "c.pdf", "deep/b.csv"]
    assert names(folder_of(s3, files=("*.csv",))) == ["a.csv"]
    assert names(folder_of(s3, files=("**/*.csv",))) == ["a.csv", "deep/b.csv"]


def test_an_object_is_fetched_byte_for_byte_and_again_only_when_it_has_changed(s3, bucket, tmp_path):
    content = bytes(range(256)) * 80_000
    bucket("exports/a.bin", content)
    source = folder_of(s3)
    (item,) = source.new_items({})
    told = source.fetch(item, to=tmp_path / "a", last_mark=None)
    assert (tmp_path / "a").read_bytes() == content
    assert told.rows == len(content)
    assert names(source, {item.subject: told.mark}) == []
    bucket("exports/a.bin", content + b"more")
    assert names(source, {item.subject: told.mark}) == ["a.bin"]


def test_more_objects_than_a_page_holds_are_all_listed(s3, bucket):
    for number in range(1003):
        bucket(f"exports/{number:04d}.csv", b"")
    assert len(names(folder_of(s3))) == 1003


def test_a_folder_of_this_machine_is_read_in_the_same_way(tmp_path):
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "a.csv").write_text("a,b\n")
    source = folder_of("", url=f"file://{tmp_path / 'drop'}")
    (item,) = source.new_items({})
    source.fetch(item, to=tmp_path / "a", last_mark=None)
    assert (tmp_path / "a").read_text() == "a,b\n"


def test_an_object_that_is_gone_before_it_is_fetched_has_failed(s3, bucket, tmp_path):
    bucket("exports/a.csv", b"x")
    source = folder_of(s3)
    (item,) = source.new_items({})
    missing = type(item)(name="b.csv", subject="b.csv", mark=item.mark)
    with pytest.raises(PullFailedError):
        source.fetch(missing, to=tmp_path / "b", last_mark=None)


def test_a_store_that_is_not_there_has_failed_and_says_nothing_of_its_keys():
    with pytest.raises(PullFailedError) as failed:
        names(folder_of("http://127.0.0.1:9"))
    assert "hidden" not in str(failed.value)
