"""Writes all generated files: run `python -m tools` in the checkout."""

from __future__ import annotations

from tools import written

for file, text in written().items():
    file.write_text(text, encoding="utf-8")
