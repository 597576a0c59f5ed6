"""The two models of the paper: weights, losses, gradients and exact cheaper forms.

It may import `problem` and what is below it. Read model.py first, then linear.py and objective.py;
forms.py selects the form in which a model is trained.
"""
