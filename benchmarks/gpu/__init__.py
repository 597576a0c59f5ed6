"""Everything that speaks of cuda, checked and measured by one command in under six minutes.

`python -m benchmarks gpu --out DIR [--mirror DIR] [--device cpu] [--small]`

Read command.py first, then the sections: agreement.py, throughput.py, limits.py and blocks.py.
It imports torch, numpy, scipy, pandas, pyarrow, torch_geometric and tqdm, and for the tests pytest:
no Snakemake, no ogb, no YAML, no scikit-learn.
"""

from benchmarks.gpu.command import main

__all__ = ["main"]
