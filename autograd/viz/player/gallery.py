"""A folder of player pages that share script and style sheet, and a page that links them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from autograd.files import write_whole
from autograd.viz.html import page_text, styles
from autograd.viz.player.player import HERE, SCRIPTS, STYLES, Player, function

SCRIPT, STYLE_SHEET, INDEX = "player.js", "player.css", "index.html"

LINK = f'<link rel="stylesheet" href="{STYLE_SHEET}">\n'


@dataclass(frozen=True)
class Entry:
    """A page of a gallery.

    Attributes:
        name: that of its file, which ends in .html.
        title: its heading.
        text: what to try there, in a sentence or two.
        player: what it shows; None for a page that is there already and is only linked.
    """

    name: str
    title: str
    text: str
    player: Player | None


def save_gallery(
    folder: str | os.PathLike[str], entries: Sequence[Entry], title: str, text: str
) -> list[Path]:
    """Write the pages, what they share, and `index.html`, which links them.

    The pages work from a disk and without a network, but only beside `player.js` and `player.css`.
    Returns the paths of the files written.
    """
    folder = Path(folder)
    files = {
        SCRIPT: function(SCRIPTS),
        STYLE_SHEET: styles(HERE, STYLES),
        INDEX: page_text(title, text, _links(entries)),
    }
    for entry in entries:
        if entry.player is not None:
            files[entry.name] = page_text(entry.title, entry.text, _shared(entry.player))
    folder.mkdir(parents=True, exist_ok=True)
    return [write_whole(folder / name, content) for name, content in files.items()]


def _shared(player: Player) -> str:
    script = f'<script src="{SCRIPT}"></script>\n<script>\n{player.start()}</script>\n'
    back = f'<p class="back"><a href="{INDEX}">All pages</a></p>\n'
    return player.markup(LINK, script) + back


def _links(entries: Sequence[Entry]) -> str:
    items = (
        f'<li style="margin-bottom: 12px"><a href="{escape(entry.name)}">{escape(entry.title)}</a>'
        f"<br>{escape(entry.text)}</li>\n"
        for entry in entries
    )
    return f"<ul>\n{''.join(items)}</ul>\n"
