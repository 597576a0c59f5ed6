"""Memory and time that a job requests: the measured amount, increased with each attempt.

docs/performance.md has the measurements. A run on one machine makes only one attempt.
"""


def growing(per_input_mb=0, **amounts):
    """Resources in megabytes and minutes: the `amounts` times the number of the attempt.

    `mem_mb` is at least `per_input_mb` times the input's size.
    """

    def request(name, least):
        share = per_input_mb if name == "mem_mb" else 0

        def of_attempt(wildcards, input, attempt):
            size = share * input.size_mb if share else 0
            return int(max(least, size)) * attempt

        return of_attempt

    return {name: request(name, least) for name, least in amounts.items()}
