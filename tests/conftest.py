"""What all tests share: how Hypothesis looks for examples, garbage collection, and a browser.

Hypothesis tries the same examples at every run; `--hypothesis-profile=explore` looks further.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from autograd.primitives import TABLE

slow_is_fine = [HealthCheck.too_slow]  # a busy machine is no fault of the code
settings.register_profile(
    "steady",
    deadline=None,
    max_examples=150,
    derandomize=True,
    suppress_health_check=slow_is_fine,
)
settings.register_profile(
    "explore", deadline=None, max_examples=3000, suppress_health_check=slow_is_fine
)
settings.load_profile("steady")

os.environ.setdefault("KERAS_BACKEND", "torch")  # its own choice, TensorFlow, is rarely installed


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where slow tests are left out, a file that has no others need not even be imported."""
    if config.getoption("markexpr") != "not slow" or collection_path.suffix != ".py":
        return None
    return "\npytestmark = pytest.mark.slow\n" in collection_path.read_text("utf-8") or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a browser is slow."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")


def pytest_collection_finish() -> None:
    """Collect garbage less often, and not among the tests themselves: an eighth of their time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 20)


@pytest.fixture(autouse=True)
def rows_are_forgotten() -> Iterator[None]:
    """A row that a test adds to the table of primitives is gone after it."""
    before = set(TABLE)
    yield
    for name in TABLE.keys() - before:
        del TABLE[name]


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, also where the tests were started with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


OPTIONS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, without a window and without a network; skips where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    programs = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    program = next(filter(None, programs), None)
    if program is None:
        pytest.skip("no chromium, chromium-browser or google-chrome is on the PATH")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def tab(browser: Any) -> Iterator[Any]:
    """A page that the tests of a module share: to make one takes longer than most tests."""
    with browser.new_context(offline=True) as context:
        yield context.new_page()


@pytest.fixture
def open_page(browser: Any, tab: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """A function that opens a page: a file, text of HTML, or an object that saves itself as one.

    The test fails if a script of the page fails, writes to the console, or asks for a file.
    """
    errors: list[str] = []
    contexts: list[Any] = []
    used: list[Any] = []

    def watch(page: Any, path: Path) -> None:
        own = (path.as_uri(), "about:blank")
        listeners = {
            "pageerror": lambda error: errors.append(str(error)),
            "console": lambda message: errors.append(message.text),
            "request": lambda request: (
                None
                if request.url.partition("?")[0] in own
                or request.url.startswith(("data:", "blob:"))
                else errors.append(request.url)
            ),
        }
        for event, listener in listeners.items():
            page.on(event, listener)
        used.append((page, listeners))

    def open_page(content: Any, **options: Any) -> Any:
        path = content.resolve() if isinstance(content, Path) else tmp_path / "page.html"
        if isinstance(content, str):
            path.write_text(f'<!DOCTYPE html><meta charset="utf-8">{content}', encoding="utf-8")
        elif not isinstance(content, Path):
            content.save(path)
        if used or not {"viewport", "color_scheme", "reduced_motion"} >= options.keys():
            contexts.append(browser.new_context(offline=True, **options))
            page = contexts[-1].new_page()
        else:
            page = tab
            page.set_viewport_size(options.get("viewport", {"width": 1280, "height": 720}))
            page.emulate_media(
                media="null",
                color_scheme=options.get("color_scheme", "light"),
                reduced_motion=options.get("reduced_motion", "no-preference"),
            )
        watch(page, path)
        page.goto(path.as_uri())
        return page

    yield open_page
    for page, listeners in used:
        page.mouse.move(0, 0)  # so that nothing of the next page lies under it
        page.goto("about:blank")
        for event, listener in listeners.items():
            page.remove_listener(event, listener)
    for context in contexts:
        context.close()
    assert errors == []
