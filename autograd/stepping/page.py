"""What the pages have in common: one file with everything in it, and nothing from elsewhere."""

from __future__ import annotations

import json
import os
from html import escape
from pathlib import Path

from autograd.files import write_whole

STYLE = """\
body { margin: 0; background: light-dark(#fcfcfa, #14171b); color: light-dark(#1f2328, #e6e9ed);
  font: 16px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif }
main { max-width: 1180px; margin: 0 auto; padding: clamp(14px, 2.5vw, 32px) }
h1 { font: 600 clamp(23px, 2.6vw, 30px)/1.2 Georgia, "Iowan Old Style", serif; margin: 0 0 8px;
  overflow-wrap: anywhere }
main > p { max-width: 84ch; margin: 0 0 18px; color: light-dark(#59636e, #9ba5b0) }
"""


def write_page(path: str | os.PathLike[str], title: str, introduction: str, content: str) -> Path:
    """Write a page: a heading, a paragraph, and a piece of HTML. Returns its path.

    The file appears when it is complete. ValueError for a name that does not end in .html or .htm.
    """
    if Path(path).suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"save: a page is HTML; name a file that ends in .html, got {str(path)!r}")
    title = escape(title)
    return write_whole(
        path,
        '<!DOCTYPE html>\n<html lang="en" style="color-scheme: light dark">\n'
        '<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{STYLE}</style>\n"
        f"<main>\n<h1>{title}</h1>\n<p>{escape(introduction)}</p>\n{content}</main>\n</html>\n",
    )


def json_for_script(content: object) -> str:
    """JSON that is text to the HTML parser, too: no label in it can end the script or begin one."""
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")
