"""`python -m benchmarks [NAME] [ARGUMENTS]`: engine (the default), or another module here.

engine                   the designs of the engine against plain PyG
preset [results/paper]   a finished run against the same grid by plain PyG
forms [results/paper [DATASET ...]]   what the choice of the form changes in a run's tables
precision [STEPS [SEEDS [DATASET ...]]]   what float32 changes in training curves
flows [DATASET ...]      gradients, seconds and errors of the integrators of gradient flow
observing                what looking at a run for the theorems costs
gpu --out DIR            all that speaks of cuda, checked and measured on a GPU (--help: options)
race [MINUTES [SEEDS [STEPS [DATASET ...]]]]   a race of one minute against a long run
scaling [CASE ...]       time and peak memory of every stage on graphs of up to 3 million nodes
papers [NODES ...]       the same from OGB's files on, shaped as ogbn-papers100M: features in a file
"""

import sys
from importlib import import_module

name, *arguments = sys.argv[1:] or ["engine"]
import_module(f"benchmarks.{name}").main(*arguments)
