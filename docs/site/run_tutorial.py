"""Run a tutorial, a notebook in Markdown, and put the outputs below its cells."""

import ast
import io
import re
from contextlib import chdir, redirect_stdout
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any

import jupytext
import matplotlib.pyplot as plt
import pandas as pd

STYLE = {"figure.constrained_layout.use": True, "axes.titlelocation": "left", "font.size": 9}


@cache  # `mkdocs serve` builds again after every change of any page
def run_tutorial(text: str, name: str) -> dict[str, str]:
    """File name -> content: the page with its outputs, its figures, and the notebook.

    It runs in an empty folder.

    Raises:
        Exception: whatever a cell raises.
    """
    notebook = jupytext.reads(text, fmt="md")
    names: dict[str, Any] = {"__name__": name}
    files = {f"{name}.ipynb": jupytext.writes(notebook, fmt="ipynb")}
    parts: list[str] = []
    with TemporaryDirectory() as folder, chdir(folder), plt.rc_context(STYLE):
        for cell in notebook.cells:
            if cell.cell_type != "code":
                parts.append(cell.source)
                continue
            parts += [f"```python\n{cell.source}\n```", *run_cell(cell.source, names)]
            for number in plt.get_fignums():
                figure = f"{name}-{len(files)}.svg"
                files[figure] = svg(plt.figure(number))
                parts.append(f"![{title(plt.figure(number))}]({figure})")
            plt.close("all")
    parts.append(f"[This page as a notebook]({name}.ipynb)")
    return files | {f"{name}.md": "\n\n".join(parts) + "\n"}


def run_cell(source: str, names: dict[str, Any]) -> list[str]:
    """What a cell prints, and the value of its last line if it draws nothing."""
    tree, value, printed = ast.parse(source), None, io.StringIO()
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with redirect_stdout(printed):
        exec(compile(tree, names["__name__"], "exec"), names)
        if last:
            value = eval(compile(ast.Expression(last.value), names["__name__"], "eval"), names)
    if value is None or plt.get_fignums():
        shown = []
    elif isinstance(value, pd.DataFrame):
        table = re.sub("<table[^>]*>", "<table>", value.to_html(float_format="{:.4g}".format))
        shown = [f'<div class="output">{table}</div>']
    else:
        shown = [f"```text\n{value!r}\n```"]
    text = printed.getvalue().rstrip()
    return ([f"```text\n{text}\n```"] if text else []) + shown


def svg(figure: plt.Figure) -> str:
    picture = io.StringIO()
    figure.savefig(picture, format="svg")
    return picture.getvalue()


def title(figure: plt.Figure) -> str:
    """What the picture shows, for those who do not see it: the titles of its panels."""
    titles = [axes.get_title(loc="left") or axes.get_title() for axes in figure.axes]
    return "; ".join(filter(None, [figure.get_suptitle(), *titles])).replace("\n", " ")
