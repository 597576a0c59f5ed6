"""The two models of the paper: their weights, losses, gradients and exact cheaper forms.

This room imports `problem`, `linalg` and `errors`. Read model.py, linear.py and objective.py first;
forms.py chooses the form in which a model is trained.
"""
