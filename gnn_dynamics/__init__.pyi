# The types of the names that __init__.py imports at their first use.
from gnn_dynamics.api.graphs import build_problem as build_problem
from gnn_dynamics.api.graphs import load_dataset as load_dataset
from gnn_dynamics.api.graphs import make_graph as make_graph
from gnn_dynamics.api.graphs import read_graph as read_graph
from gnn_dynamics.api.spectra import graph_condition as graph_condition
from gnn_dynamics.api.spectra import lowest_loss as lowest_loss
from gnn_dynamics.api.training import Comparison as Comparison
from gnn_dynamics.api.training import Runs as Runs
from gnn_dynamics.api.training import bounds as bounds
from gnn_dynamics.api.training import compare as compare
from gnn_dynamics.api.training import train as train
from gnn_dynamics.data.graph import Graph as Graph
from gnn_dynamics.errors import UserError as UserError
from gnn_dynamics.problem.problem import Problem as Problem

__version__: str
