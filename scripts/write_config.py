"""Write the configuration that the run used, defaults and preset merged; it can be run again."""

import yaml
from _job import start

from gnn_dynamics.artifacts.files import write_text

start(snakemake)
config = yaml.safe_dump(snakemake.params.config, sort_keys=True, allow_unicode=True)
write_text(config, snakemake.output.config)
