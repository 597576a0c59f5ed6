"""How models are trained: steppers, the training loop, sharpness and CUDA graphs.

This room sees a model through `models.objective.Objective` and `models.model.Weights` only. Read
steppers.py first, then train.py.
"""
