"""Text for a target: its length limits and its escaping.

Names and reasons come from a CRM, so anybody may have typed them.
"""

import html
import re

ELLIPSIS = "\u2026"

# C0 and C1 controls but tab and line feed, and the lone surrogates that no UTF-8 can carry.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&])")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_BREAK_WITHIN = 0.6


def plain(text: str) -> str:
    """Without control characters, with single line feeds, without space at either end."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", unified).strip()


def one_line(text: str) -> str:
    """`plain` with every run of white space as one space."""
    return " ".join(plain(text).split())


def units(text: str) -> int:
    """Length as CRMs count it: in UTF-16 units, where an emoji is two."""
    return len(text) + sum(character > "\uffff" for character in text)


def cut(text: str, limit: int) -> str:
    """At most `limit` units, ended on a word with an ellipsis where something is left out.

    Text that has no space in its last two fifths is cut where the limit falls.
    """
    if units(text) <= limit:
        return text
    if limit <= 0:
        return ""
    kept: list[str] = []
    room = limit - 1
    for character in text:
        room -= units(character)
        if room < 0:
            break
        kept.append(character)
    short = "".join(kept)
    at_word = max(short.rfind(" "), short.rfind("\n"))
    next_is_space = text[len(short)].isspace()
    if not next_is_space and at_word > len(short) * _BREAK_WITHIN:
        short = short[:at_word]
    return short.rstrip() + ELLIPSIS


def html_text(text: str) -> str:
    """Text for HTML content and quoted attributes; line feeds become `<br>`."""
    return html.escape(plain(text), quote=True).replace("\n", "<br>")


def markdown(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return _MARKDOWN.sub(r"\\\1", one_line(text))


def csv_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; quoting is the csv writer's part."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
