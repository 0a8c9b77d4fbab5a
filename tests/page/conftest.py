"""One Chromium and the small network's page for all tests of the page in a browser."""

import shutil

import pytest
from opened_pages import Opened
from served_pages import served

from tinycnn import cli
from tinycnn.explain import open_lesson


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield started
        started.close()


@pytest.fixture(scope="session")
def lesson():
    return open_lesson(model="mini")


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """The page of the small network, as the command writes it."""
    target = tmp_path_factory.mktemp("page") / "mini.html"
    assert cli.main(["page", "--model", "mini", "-o", str(target)]) == 0
    return target


@pytest.fixture
def opened(browser, written):
    one = Opened(browser, written)
    yield one
    one.end()


@pytest.fixture(scope="module")
def server():
    """The live page of the small network, answering."""
    with served(open_lesson(model="mini")) as server:
        yield server
