"""Helpers for self-contained HTML pages: inlined scripts, style sheets and data."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable
from html import escape
from pathlib import Path

from autograd.files import write_whole

SHARED = Path(__file__).with_name("shared")


def scripts(folder: Path, names: Iterable[str]) -> str:
    """These files one after the other, without their comments on lines of their own."""
    text = "".join((folder / name).read_text("utf-8") for name in names)
    return re.sub(r"(?m)^ *//.*\n|^\n", "", text)


def styles(folder: Path, names: Iterable[str]) -> str:
    """These style sheets one after the other, without comments and indentation."""
    text = "".join((folder / name).read_text("utf-8") for name in names)
    return re.sub(r"(?m)/\*.*?\*/|^ +|^\n", "", text)


class Page:
    """A page that works without Python, a server or a network, and shows itself in notebooks.

    Attributes:
        html: the content, one piece of HTML to be put into any page.
    """

    title: str
    introduction: str

    @property
    def html(self) -> str:
        """The content."""
        raise NotImplementedError

    @property
    def text(self) -> str:
        """The whole HTML file: heading, introduction and content."""
        return page_text(self.title, self.introduction, self.html)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page as a file of its own, which appears when it is complete.

        Returns its path. ValueError for a name that does not end in .html or .htm.
        """
        check_page_name(path)
        return write_whole(path, self.text)

    def _repr_html_(self) -> str:
        """The page in a frame, for notebooks that do not run the scripts of an output."""
        try:
            page = escape(self.text)
        except RuntimeError as reason:  # no program to lay out the picture
            return f"<pre>{escape(repr(self))}\n{escape(str(reason))}</pre>"
        style = "width: 100%; height: 640px; border: 0"
        return f'<iframe title="{escape(self.title)}" style="{style}" srcdoc="{page}"></iframe>'

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        try:
            return {"text/html": self.html, "text/plain": repr(self)}
        except RuntimeError as reason:
            return {"text/plain": f"{self!r}\n{reason}"}


def check_page_name(path: str | os.PathLike[str]) -> None:
    """Raise ValueError if the name of a file does not end in .html or .htm."""
    if Path(path).suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"a page is HTML; name a file that ends in .html, got {str(path)!r}")


def page_text(title: str, introduction: str, content: str) -> str:
    """The text of an HTML file: a heading, a paragraph, and a piece of HTML."""
    title = escape(title)
    return (
        '<!DOCTYPE html>\n<html lang="en" style="color-scheme: light dark">\n'
        '<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{styles(SHARED, ['document.css'])}</style>\n"
        f'<main class="autograd-page">\n<h1>{title}</h1>\n<p>{escape(introduction)}</p>\n'
        f"{content}</main>\n</html>\n"
    )


STILL = "No scripts run here, so nothing moves: run the cell, or trust the notebook."


def element(name: str, label: str, shown: str, data: object, script: str) -> str:
    """The content of a page as one element.

    Args:
        name: its class.
        label: a description for screen readers.
        shown: style sheets, and what stands in the element before its scripts have run.
        data: the input of the scripts, as JSON.
        script: `<script>` elements.
    """
    return (
        f'<div class="{name}" role="group" aria-label="{escape(label)}">\n{shown}'
        f'<p class="still">{STILL}</p>\n'
        f'<script type="application/json">{json_for_script(data)}</script>\n'
        f"{script}</div>\n"
    )


def json_number(x: float | None) -> float | str | None:
    """A number as JSON; inf and nan as their names in JavaScript."""
    if x is None or math.isfinite(x):
        return x
    return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"


def json_for_script(content: object) -> str:
    """JSON for use inside an HTML script element: no label in it can end or begin a script."""
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")
