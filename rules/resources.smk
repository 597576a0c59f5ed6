"""Memory and time that a job requests: the measured amount, increased with each attempt.

docs/performance.md has the measurements. A run on one machine makes only one attempt.
"""


def growing(amount):
    """Megabytes or minutes: `amount` times the number of the attempt."""

    def of_attempt(wildcards, attempt):
        return amount * attempt

    return of_attempt


def growing_with_input(least, factor):
    """Megabytes: max(least, factor times the input's size), times the number of the attempt."""

    def of_input(wildcards, input, attempt):
        return max(least, int(factor * input.size_mb)) * attempt

    return of_input
