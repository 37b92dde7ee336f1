"""The commands of `forestage`, one family a file; `app.cli` joins them."""
