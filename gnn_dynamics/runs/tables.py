"""Columns of the four tables that training a block fills.

theory/metrics.py and recording.py define the columns of the first three, speed.py of the last.
"""

from gnn_dynamics.artifacts.table import (
    FLAG,
    INTEGER,
    NOISE,
    TEXT,
    Table,
    integers,
    reals,
    texts,
)
from gnn_dynamics.config.grid import RUN

_STEP = RUN | integers("step")

TRAINING = Table(
    keys=tuple(_STEP),
    columns=_STEP
    | reals("time", "loss", "grad_norm_sq", "lr_lambda_max")
    | {"loss_increases": INTEGER, "status": TEXT},
    optional=reals("side_condition", "rate_sharp", "conservation_drift", "lambda_guaranteed")
    | reals("projected_loss", "rate_kernel", "rate_kernel_error")
    | reals("local_error", "integrator_error")
    | reals("accuracy_train", "accuracy_val", "accuracy_test")
    | texts("form", "integrator", "precision"),
    kinds=dict.fromkeys(
        ("conservation_drift", "local_error", "integrator_error", "rate_kernel_error"), NOISE
    ),
)
TIME_CONDITION = Table(
    keys=(*_STEP, "layer"),
    columns=_STEP | integers("layer") | reals("lambda_min", "lambda_min_restricted"),
    optional=reals("lambda_min_infimum", "lambda_min_restricted_infimum", "layer_norm_rms"),
)
GRADIENT_TERMS = Table(
    keys=(*_STEP, "term", "index"),
    columns=_STEP
    | {"term": TEXT, "index": INTEGER}
    | reals("value", "grad_norm_sq", "relative_error"),
    optional=reals("signal", "norm_a_sq", "norm_b_sq", "inner_ab"),
    kinds={"relative_error": NOISE},
)
_THRESHOLD = RUN | reals("threshold") | texts("threshold_kind")
SPEED = Table(
    keys=tuple(_THRESHOLD),
    columns=_THRESHOLD
    | reals("time_to_threshold")
    | {"steps_to_threshold": INTEGER, "censored": FLAG}
    | reals("end_time"),
    optional={"end_step": INTEGER}
    | reals("end_loss", "lambda_start")
    | {"started_below": FLAG, "unreachable": FLAG}
    | texts("loss_reference", "status"),
)
BLOCK_TABLES = {
    "training": TRAINING,
    "time_condition": TIME_CONDITION,
    "gradient_terms": GRADIENT_TERMS,
    "speed": SPEED,
}
