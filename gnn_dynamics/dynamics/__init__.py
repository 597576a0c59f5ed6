"""How models are trained: steppers, the training loop, sharpness and CUDA graphs.

This room imports `linalg`, and of `models` only `Objective` and `Weights`. Read steppers.py first,
then train.py.
"""
