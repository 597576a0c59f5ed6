"""Read and check config/claims.yaml: the rule, its thresholds, and one entry per claim.

Imports no numerical library, so that the workflow can check the file while it is parsed.
"""

from pathlib import Path
from typing import Any

from gnn_dynamics.config.schema import read_checked

SCHEMA = Path(__file__).with_name("schema.yaml")


def load_claims(path: str | Path) -> dict[str, Any]:
    """The claims and the rule, checked against claims/schema.yaml.

    Raises:
        UserError: naming every key that is absent, unknown or has a wrong value.
    """
    settings: dict[str, Any] = read_checked(path, SCHEMA)
    return settings
