"""The rules' pages are those that their source and cases make."""

from rules.docs import PAGES, pages


def test_no_page_is_stale() -> None:
    standing = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}
    assert standing == pages(), "run: python -m rules.docs"
