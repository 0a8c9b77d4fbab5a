"""What mkdocs asks while it builds the site of the documentation (`hooks` in mkdocs.yml).

The pages are written to be read in a checkout: they link to files beside ``docs/``, and their
formulas stand between dollars. Here these links get a target in the site, the formulas become
MathML, which browsers draw without scripts, and names of functions lead to their reference.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import urlsplit

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
# Pages beside docs/, and docs' own list of pages, whose place the README takes.
PLACES = {
    "../README.md": "index.html",
    "../CONTRIBUTING.md": "contributing/index.html",
    "../CHANGELOG.md": "changelog/index.html",
    "README.md": "documentation/index.html",
}
LINK = re.compile(r"\]\(([^)\s]+)\)")
FORMULA = re.compile(r'(?s)<(span|div) class="arithmatex">\s*\\[(\[](.*?)\\[)\]]\s*</\1>')


# A name in code, but not in a link or a heading, which it passes over.
NAME = re.compile(r"(?s)<(a|h\d)\b.*?</\1>|<code>([\w.]+)</code>")
# "::: tinycnn.ops.conv2d" on a page of the reference: there, its docstring will stand.
DIRECTIVE = re.compile(r"^::: tinycnn\.(\S+)$", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what the pages link to outside docs/, under the path by which they name it."""
    for uri, place in PLACES.items():
        if uri in files.src_uris:
            files.remove(files.src_uris[uri])
        files.append(_file(uri, place, config))
    for page in files.documentation_pages():
        for link in LINK.findall(page.content_string):
            target = _outside(page, link)
            if target is not None and target not in files.src_uris:
                # As text, which browsers show instead of saving it.
                files.append(_file(target, f"source/{target.removeprefix('../')}.txt", config))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links of a page beside docs/ lead into it."""
    return markdown.replace("](docs/", "](/") if page.file.src_uri.startswith("../") else markdown


def on_page_content(content: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Formulas as MathML, and names of functions as links."""

    def mathml(found: re.Match[str]) -> str:
        formula = html.unescape(found[2]).strip()
        drawn: str = convert(formula, display="block" if found[1] == "div" else "inline")
        if "\\" in drawn:
            raise PluginError(f"{page.file.src_uri}: a command without MathML in {formula}")
        return drawn

    def link(found: re.Match[str]) -> str:
        identifier = found[2] and names.get(found[2].removeprefix("tc.").removeprefix("tinycnn."))
        return (
            f'<autoref identifier="{identifier}">{found[0]}</autoref>' if identifier else found[0]
        )

    names = _names(files, short=page.file.src_uri.startswith("reference/"))
    return NAME.sub(link, FORMULA.sub(mathml, content))


def _names(files: Files, *, short: bool) -> dict[str, str]:
    """What stands in the reference, by all that it may be called; ``short``: by its last name too."""
    names: dict[str, str] = {}
    for page in files.documentation_pages():
        for path in DIRECTIVE.findall(page.content_string):
            names[path] = f"tinycnn.{path}"
            if short:
                names[path.rpartition(".")[2]] = f"tinycnn.{path}"
    return names


def _file(uri: str, place: str, config: MkDocsConfig) -> File:
    file = File(uri, None, config.site_dir, config.use_directory_urls, dest_uri=place)
    file.inclusion = InclusionLevel.INCLUDED  # by its name, ".." would be taken for hidden
    file.abs_src_path = str((ROOT / "docs" / uri).resolve())
    return file


def _outside(page: File, link: str) -> str | None:
    """The file outside docs/ that a link leads to, by its path from docs/; None for other links."""
    parts = urlsplit(link)
    target = ((ROOT / "docs" / page.src_uri).parent / parts.path).resolve()
    if parts.scheme or target.is_relative_to(ROOT / "docs") or not target.is_file():
        return None
    return f"../{target.relative_to(ROOT).as_posix()}"
