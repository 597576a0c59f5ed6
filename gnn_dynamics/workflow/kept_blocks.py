"""The blocks of one training job: what was trained earlier is kept, only the rest is trained.

A seed's rows do not depend on which other seeds or blocks are trained beside it. So each block has
files of its own, one for each table, that Snakemake does not know. They are written as soon as the
block is trained; the job's outputs join them. A later job keeps a block's seeds from its files if
only the list of seeds has changed, and not the code, other settings, device, versions or data.
Which blocks share the job does not matter, and a killed job loses only the block in work.

Snakemake's `update()` does not help: when an updating job fails, it restores the old file and takes
it for a new one, so that the new seed is never trained.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from gnn_dynamics.artifacts.files import remove_partials
from gnn_dynamics.artifacts.parquet import (
    collect_parts,
    read_table,
    stacked,
    table_provenance,
    write_table,
)
from gnn_dynamics.artifacts.provenance import digest, of_block
from gnn_dynamics.artifacts.table import Table
from gnn_dynamics.config.grid import Block
from gnn_dynamics.errors import UserError

Tables = dict[str, pd.DataFrame]
Train = Callable[[Block, dict[str, Any]], Tables]
log = logging.getLogger(__name__)


def train_blocks(
    outputs: Mapping[str, str],
    tables: Mapping[str, Table],
    provenance: Mapping[str, Any],
    train: Train,
) -> None:
    """Train what is missing of a job's blocks, and write all of them, one file for each table.

    outputs: table -> file to be written, beside which the blocks' own files are kept.
    provenance: of the outputs; its config contains the ids of the `blocks` and their `settings`.
    train: a block, and settings with the seeds that are missing -> tables.
    """
    blocks = [Block.of(name) for name in provenance["config"]["blocks"]]
    for block in blocks:
        kept, made = kept_files(outputs, block), of_block(provenance, block.id)
        for name, rows in _complete(kept, made, block, train).items():
            remove_partials(kept[name])
            write_table(rows, kept[name], tables[name], made)
    for name, path in outputs.items():
        collect_parts([kept_files(outputs, block)[name] for block in blocks], path, provenance)


def kept_files(outputs: Mapping[str, str | Path], block: Block) -> dict[str, Path]:
    """Where the tables of one block are kept for later jobs."""
    return {name: Path(path).with_name(f".{block.model}.kept") for name, path in outputs.items()}


def _complete(
    kept: Mapping[str, Path], provenance: Mapping[str, Any], block: Block, train: Train
) -> Tables:
    """Tables of a block for all seeds of its settings, those kept from earlier not trained anew."""
    settings = provenance["config"]["settings"]
    earlier, seeds = _earlier(kept, provenance)
    found = [seed for seed in settings["seed"] if seed in seeds]
    missing = [seed for seed in settings["seed"] if seed not in found]
    names = [", ".join(map(str, some)) or "none" for some in (missing, found)]
    log.info("%s: seeds to train: %s; kept from an earlier run: %s", block.model, *names)
    tables = [{name: frame[frame["seed"].isin(found)] for name, frame in earlier.items()}]
    tables += [train(block, {**settings, "seed": missing})] if missing else []
    return {name: stacked([part[name] for part in tables if name in part]) for name in kept}


def _earlier(kept: Mapping[str, Path], provenance: Mapping[str, Any]) -> tuple[Tables, set[int]]:
    """What is kept, and its seeds; nothing where it is damaged, or anything else has changed."""
    try:
        made = [table_provenance(path) for path in kept.values()]
        if any(_but_seeds(one) != _but_seeds(provenance) for one in made):
            return {}, set()
        frames = {name: read_table(path) for name, path in kept.items()}
    except (OSError, UserError):
        return {}, set()
    return frames, set.intersection(*(set(one["config"]["settings"]["seed"]) for one in made))


def _but_seeds(made: Mapping[str, Any]) -> dict[str, Any]:
    """Provenance without the list of seeds, and without the digest in which it counts."""
    config = dict(made.get("config", {}))
    settings = {key: v for key, v in config.pop("settings", {}).items() if key != "seed"}
    rest = {key: v for key, v in made.items() if key not in ("config", "config_hash")}
    return {**rest, "config": digest([config, settings])}
