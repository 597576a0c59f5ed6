"""More seeds for a block that is trained already: the new ones are trained, the others kept.

A seed's rows do not depend on which other seeds are trained beside it. So an earlier part is kept
if only the list of seeds has changed, and not the code, other settings, device, versions or data.

Snakemake deletes a part before its job starts, so each part has a second name that Snakemake does
not know. Its `update()` does not help: when an updating job fails, it restores the old file and
takes it for a new one, so that the new seed is never trained.
"""

import logging
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from gnn_dynamics.artifacts.parquet import read_table, stacked, table_provenance
from gnn_dynamics.artifacts.provenance import digest
from gnn_dynamics.errors import UserError

Tables = dict[str, pd.DataFrame]
log = logging.getLogger(__name__)


def train_missing(
    paths: Mapping[str, str],
    provenance: Mapping[str, Any],
    train: Callable[[dict[str, Any]], Tables],
) -> Tables:
    """Tables of a block for all seeds of its settings, those kept from earlier not trained anew.

    paths: table -> file to be written, beside which an earlier one may be kept.
    provenance: of the part to be written; its config contains the block's `settings`.
    train: settings with the seeds that are missing -> tables.
    """
    settings = provenance["config"]["settings"]
    earlier, seeds = _earlier(paths, provenance)
    kept = [seed for seed in settings["seed"] if seed in seeds]
    missing = [seed for seed in settings["seed"] if seed not in kept]
    names = [", ".join(map(str, seeds)) or "none" for seeds in (missing, kept)]
    log.info("seeds to train: %s; kept from an earlier run: %s", *names)
    tables = [{name: frame[frame["seed"].isin(kept)] for name, frame in earlier.items()}]
    tables += [train({**settings, "seed": missing})] if missing else []
    return {name: stacked([part[name] for part in tables if name in part]) for name in paths}


def second_name(path: str | Path) -> Path:
    """Where a part is kept for a later job."""
    return Path(path).with_name(f".{Path(path).stem}.kept")


def keep(paths: Iterable[str | Path]) -> None:
    """Give finished parts their second names; a link takes no space."""
    for path in map(Path, paths):
        link = path.with_name(f".{path.stem}.{os.getpid()}.kept")
        try:
            os.link(path, link)
        except OSError:  # a file system without links
            shutil.copyfile(path, link)
        link.replace(second_name(path))
        # Renaming to another name of the same file does nothing.
        link.unlink(missing_ok=True)


def _earlier(paths: Mapping[str, str], provenance: Mapping[str, Any]) -> tuple[Tables, set[int]]:
    """An earlier part and its seeds; nothing where it is damaged, or anything else has changed."""
    kept = {name: second_name(path) for name, path in paths.items()}
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
