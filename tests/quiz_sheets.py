"""Printed quizzes read back, as a student reads them."""

import re
from dataclasses import dataclass, field
from fractions import Fraction
from html.parser import HTMLParser

VOID = {"meta", "br", "hr"}


@dataclass
class Node:
    """An element: its children are elements and texts."""

    tag: str
    attributes: dict
    children: list = field(default_factory=list)

    @property
    def text(self):
        parts = (child if isinstance(child, str) else child.text for child in self.children)
        return "".join(parts).replace("\xa0", " ")

    @property
    def elements(self):
        return [child for child in self.children if isinstance(child, Node)]

    def all(self, tag, name=None):
        """Elements below with that tag and class, in order."""
        found = []
        for child in self.elements:
            if child.tag == tag and name in (None, child.attributes.get("class")):
                found.append(child)
            found += child.all(tag, name)
        return found


class Reader(HTMLParser):
    """Builds the tree, and fails where tags do not match."""

    def __init__(self):
        super().__init__()
        self.root = Node("", {})
        self.open = [self.root]

    def handle_starttag(self, tag, attrs):
        node = Node(tag, dict(attrs))
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag):
        assert tag not in VOID and self.open[-1].tag == tag, f"</{tag}> closes {self.open[-1].tag}"
        self.open.pop()

    def handle_data(self, data):
        self.open[-1].children.append(data)


def read_html(page):
    """The tree of a well-formed page."""
    assert page.startswith("<!DOCTYPE html>\n")
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert len(reader.open) == 1
    return reader.root


@dataclass
class Asked:
    """A question or an answer: its words, matrices of texts by name, its table, its working."""

    topic: str
    words: list
    matrices: dict
    table: list
    working: list
    lines: int

    @property
    def prompt(self):
        return " ".join(self.words)

    def matrix(self, name):
        """A matrix in fractions."""
        return [[Fraction(text) for text in row] for row in self.matrices[name]]

    def row(self, name):
        (row,) = self.matrix(name)
        return row

    def numbers(self, pattern):
        """The whole numbers in the groups of a pattern."""
        found = re.search(pattern, self.prompt)
        assert found, (pattern, self.prompt)
        return [int(group.replace(",", "")) for group in found.groups()]


def read_section(section):
    matrices = {}
    for matrix in section.all("div", "matrix"):
        rows = matrix.all("tr")
        name = matrix.elements[0].text.removesuffix(" =")
        matrices[name] = [[cell.text for cell in row.elements] for row in rows]
    tables = section.all("table", "rows")
    (heading,) = section.all("h3")
    return Asked(
        heading.text,
        [p.text for p in section.all("p")],
        matrices,
        [[cell.text for cell in row.elements] for row in tables[0].all("tr")] if tables else [],
        section.all("pre")[0].text.split("\n") if section.all("pre") else [],
        len(section.all("div", "line")),
    )


def read_sheet(page):
    """The questions and answers of a page."""
    tree = read_html(page)
    keys = tree.all("section", "key")
    answers = [read_section(section) for section in keys[0].all("section")] if keys else []
    (body,) = tree.all("body")
    sections = [node for node in body.elements if node.attributes.get("class") == "question"]
    return [read_section(section) for section in sections], answers
