"""The command: every section in a process of its own, within its time, as one table.

A section that crashes, hangs or spoils the state of the GPU costs its own rows only.
"""

import argparse
import json
import math
import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu import agreement, blocks, limits, throughput
from benchmarks.gpu.case import Row, Section, Setting, failed, measured
from benchmarks.gpu.processes import forked
from gnn_dynamics.artifacts.files import write_text
from gnn_dynamics.errors import UserError
from gnn_dynamics.linalg.device import torch_device

# Seconds that a section may take on a GPU; together less than six minutes.
SECTIONS: dict[str, tuple[Section, float]] = {
    "tests": (limits.cuda_tests, 40),
    "agreement": (agreement.agreement, 55),
    "determinism": (agreement.determinism, 20),
    "roofs": (throughput.roof_rows, 10),
    "linear": (throughput.linear, 60),
    "relu": (throughput.relu, 60),
    "memory": (limits.memory, 25),
    "blocks": (blocks.blocks, 60),
}
START_SECONDS = 15.0
CPU_PATIENCE = 20  # times as long for a dry run, whatever else the machine does


def main(*arguments: str) -> None:
    """Measure, print, write gpu.json and gpu.md; exit with 1 if a row failed."""
    options = parser().parse_args(arguments)
    setting = Setting(options.device, options.small, options.mirror)
    patience = 1 if setting.on_gpu else CPU_PATIENCE
    try:
        (about,) = forked(lambda: iter([describe(setting)]), patience * START_SECONDS)
    except UserError as error:
        sys.exit(str(error))
    rows: list[Row] = []
    for name in options.sections:
        section, seconds = SECTIONS[name]
        for row in section_rows(name, setting, section, patience * seconds):
            print(line(row), flush=True)
            rows.append(row)
        write(options.out, about, rows)
    sys.exit(any(row.state == "failed" for row in rows))


def parser() -> argparse.ArgumentParser:
    parse = argparse.ArgumentParser(prog="python -m benchmarks gpu")
    parse.add_argument("--out", type=Path, required=True, help="folder for gpu.json and gpu.md")
    parse.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    parse.add_argument("--small", action="store_true", help="few models and steps: a dry run")
    parse.add_argument(
        "--mirror",
        type=Path,
        help="folder with the official files planetoid/data/ind.*; without it the graphs are"
        " random ones of the same shape",
    )
    parse.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    return parse


def describe(setting: Setting) -> dict[str, Any]:
    """Versions, the device and the graphs.

    Raises:
        UserError: where the device is not there, or the mirror lacks a graph.
    """
    device = torch_device(setting.device)
    return {
        "device": setting.device,
        "card": torch.cuda.get_device_name(device) if setting.on_gpu else platform.machine(),
        "memory_gb": torch.cuda.mem_get_info()[1] / 1e9 if setting.on_gpu else None,
        "small": setting.small,
        "graphs": sorted({setting.graph(name).name for name in ("cora", "citeseer")}),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "python": platform.python_version(),
    }


def section_rows(name: str, setting: Setting, section: Section, seconds: float) -> Iterator[Row]:
    """The rows of a section, and one more where it did not come to its end."""

    def rows() -> Iterator[Row]:
        torch.set_num_threads(1)
        torch_device(setting.device)
        return (measured(name, setting, item) for item in section(setting))

    try:
        yield from forked(rows, seconds)
    except (RuntimeError, UserError) as error:
        yield failed(Row(name, "the section"), str(error))


# The table ---------------------------------------------------------------------------------------

HEADS = ("section", "case", "graph", "value", "unit", "of the roof", "times PyG", "state", "note")


def write(out: Path, about: Mapping[str, Any], rows: list[Row]) -> None:
    """gpu.json has all numbers in full, gpu.md those that are worth reading."""
    content = {"about": about, "rows": [json_row(row) for row in rows]}
    write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", out / "gpu.json")
    facts = ", ".join(f"{key} {value}" for key, value in about.items())
    lines = [markdown(HEADS), markdown(["---"] * len(HEADS)), *(markdown(cells(r)) for r in rows)]
    write_text("\n".join([facts, "", *lines, ""]), out / "gpu.md")


def json_row(row: Row) -> dict[str, Any]:
    """The fields of a row, numbers that are not finite as text."""
    return {
        key: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in asdict(row).items()
    }


def cells(row: Row) -> list[str]:
    value = "" if row.value is None else f"{row.value:.4g}"
    share = "" if row.share_of_roof is None else f"{row.share_of_roof:.0%}"
    ratio = "" if row.ratio_to_pyg is None else f"{row.ratio_to_pyg:.3g}"
    texts = [row.section, row.case, row.graph, value, row.unit, share, ratio, row.state, row.note]
    return [text.replace("|", "/") for text in texts]


def markdown(texts: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(texts)} |"


def line(row: Row) -> str:
    return "  ".join(filter(None, cells(row)))
