"""Counts what would make the host wait for a GPU, on a CPU."""

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

TO_HOST = {"tolist", "item", "numpy", "cpu", "__bool__", "__int__", "__float__", "__index__"}
# Operators whose result, or whose check for errors, the host reads.
READ = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "_unique2", "is_nonzero"}
READ |= {"_linalg_eigh", "_linalg_svd", "_linalg_check_errors", "linalg_cholesky", "linalg_inv"}


class Waits(TorchDispatchMode):
    """Counts operators that wait; indices by masks among them, whose number the host must know."""

    def __init__(self):
        super().__init__()
        self.names: list[str] = []
        self.methods = Methods(self.names)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.name().removeprefix("aten::").partition(".")[0]
        indices = args[1] if name in ("index", "index_put", "index_put_") else ()
        masks = any(index is not None and index.dtype == torch.bool for index in indices)
        if name in READ or masks:
            self.names.append(name)
        return func(*args, **(kwargs or {}))

    def __enter__(self):
        self.methods.__enter__()
        return super().__enter__()

    def __exit__(self, *error):
        super().__exit__(*error)
        self.methods.__exit__(*error)


class Methods(TorchFunctionMode):
    """Notes the methods of tensors that copy to the host, of which a CPU dispatches nothing."""

    def __init__(self, names: list[str]):
        super().__init__()
        self.names = names

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if getattr(func, "__name__", "") in TO_HOST:
            self.names.append(func.__name__)
        return func(*args, **(kwargs or {}))
