"""How models are trained: steppers, the training loop, sharpness, CUDA graphs.

It may import `models` and what is below it, and sees a model through `Objective` and `Weights`
only. Read steppers.py first, then train.py.
"""
