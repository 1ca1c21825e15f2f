"""A published site and a gate on it."""

import pytest

from tests.pipelines.gatekeeper import served


@pytest.fixture
def home(tmp_path):
    served.publish(tmp_path)
    return tmp_path


@pytest.fixture
def gate(home):
    opened = served.demo_gate(home)
    yield opened
    opened.close()
