"""What mkdocs.yml needs beside plugins: files of other folders, links, formulas, charts, tutorials.

The Markdown is written for a forge: links are relative to the file, formulas are LaTeX, charts are
Mermaid. Here they become links of the site, MathML and SVG, so that no page loads a script for
them.
"""

import html
import io
import posixpath
import re
from pathlib import Path
from typing import Any

import networkx as nx
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from run_tutorial import run_tutorial

import gnn_dynamics
from gnn_dynamics.figures import rulegraph

ROOT = Path(__file__).resolve().parents[2]
# Files outside docs/ and their names in the site.
OUTSIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "config/README.md": "config/index.md",
    **{f"config/{path.name}": f"config/{path.name}" for path in ROOT.glob("config/*.yaml")},
}
SOURCES = {name: path for path, name in OUTSIDE.items()}
TUTORIAL = re.compile(r"tutorials/(?!index\.).+\.md")
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)[^)\s#]+")
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.+?)\\[)\]]</\1>', flags=re.DOTALL)


def on_config(config: MkDocsConfig) -> None:
    """Charts instead of blocks of Mermaid."""
    fence = {"name": "mermaid", "class": "chart", "format": chart}
    config.mdx_configs["pymdownx.superfences"] = {"custom_fences": [fence]}


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the files of other folders, and the outputs of the tutorials."""
    for source, name in OUTSIDE.items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / source)))
    for tutorial in [file for file in files if TUTORIAL.fullmatch(file.src_uri)]:
        files.remove(tutorial)
        for name, content in run_tutorial(tutorial.content_string, tutorial.name).items():
            files.append(File.generated(config, f"tutorials/{name}", content=content))


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Links lead to the names that files have in the site. The page of the API gets a reference."""
    name = page.file.src_uri
    source = SOURCES.get(name, f"docs/{name}")
    if page.parent is None:  # a tab of one page
        page.meta["hide"] = ["navigation"]

    def link(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), match[0]))
        target = OUTSIDE.get(target, target.removeprefix("docs/"))
        return posixpath.relpath(target, posixpath.dirname(name) or ".")

    return LINK.sub(link, markdown) + (reference() if name == "api.md" else "")


def reference() -> str:
    """The docstring of each public name, functions first."""
    names = sorted(gnn_dynamics.__all__, key=str.swapcase)
    return "\n\n## Reference\n\n" + "\n\n".join(f"::: gnn_dynamics.{name}" for name in names)


def on_page_content(text: str, **_: Any) -> str:
    """Formulas as MathML."""
    return FORMULA.sub(mathml, text)


def mathml(formula: re.Match[str]) -> str:
    """The MathML of what the extension arithmatex marks as LaTeX."""
    display = "block" if formula[1] == "div" else "inline"
    return convert(html.unescape(formula[2]).strip(), display=display)


def chart(source: str, *_: Any, **__: Any) -> str:
    """The SVG of a flow chart of Mermaid."""
    picture = io.StringIO()
    rulegraph.draw(boxes_and_arrows(source)).savefig(picture, format="svg")
    svg = picture.getvalue()
    return f'<div class="chart">{svg[svg.index("<svg") :]}</div>'


def boxes_and_arrows(source: str) -> nx.DiGraph:
    """The labels of the boxes as nodes, the arrows as edges."""
    label = dict(re.findall(r'(\w+)\["?(.+?)"?\]', source))
    arrows = re.findall(r"(\w+) --> (\w+)", re.sub(r"\[.+?\]", "", source))
    text = {name: words.replace("<br>", "\n") for name, words in label.items()}
    return nx.DiGraph((text[start], text[end]) for start, end in arrows)
