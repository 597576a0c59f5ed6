"""What a job asks a cluster for: at first what was measured, and that again with each attempt.

Measured figures: docs/performance.md. A run on one machine makes one attempt only.
"""


def growing(amount):
    """Megabytes or minutes: `amount` times the number of the attempt."""

    def of_attempt(wildcards, attempt):
        return amount * attempt

    return of_attempt


def growing_with_input(least, factor):
    """Megabytes, times the number of the attempt: `factor` times the input's size, but `least`."""

    def of_input(wildcards, input, attempt):
        return max(least, int(factor * input.size_mb)) * attempt

    return of_input
