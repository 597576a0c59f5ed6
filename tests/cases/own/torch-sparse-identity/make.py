"""A path with a sparse identity as features: at n = 200 000, 9 MB on disk, 160 GB if dense."""

import sys

import torch

n = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
ids = torch.arange(n)
x = torch.sparse_coo_tensor(ids.repeat(2, 1), torch.ones(n), (n, n))
edges = torch.stack([ids[:-1], ids[1:]])
torch.save({"x": x, "edge_index": edges, "y": ids % 2, "train_mask": ids < 100}, "data.pt")
