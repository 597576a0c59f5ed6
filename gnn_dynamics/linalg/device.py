"""The device that a run asks for, and nothing else; the memory that is left on a GPU."""

import torch

from gnn_dynamics.errors import UserError


def torch_device(name: str) -> torch.device:
    """cpu or cuda. On a GPU TensorFloat-32 is off: it keeps 3 digits, the theorems need 12.

    Raises:
        UserError: for another name, and for cuda on a machine without a usable GPU.
    """
    if name not in ("cpu", "cuda"):
        raise UserError(f"device: unknown '{name}'; allowed are cpu, cuda.")
    if name == "cuda":
        if not torch.cuda.is_available():
            raise UserError(
                "device: cuda is asked for, but this torch finds no GPU; set device: cpu, or"
                " install a CUDA build of torch on a machine with a GPU."
            )
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    return torch.device(name)


def free_bytes(device: torch.device) -> int:
    """Memory of a GPU that this process may still take: free, or kept by it but unused."""
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(torch.cuda.mem_get_info(device)[0] + unused)
