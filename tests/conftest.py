"""What all tests share: how Hypothesis looks for examples, and a browser.

Hypothesis tries the same examples at every run; `--hypothesis-profile=explore` looks further.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
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


@pytest.fixture(autouse=True)
def rows_are_forgotten() -> Iterator[None]:
    """A row that a test adds to the table of primitives is gone after it."""
    before = set(TABLE)
    yield
    for name in TABLE.keys() - before:
        del TABLE[name]


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
