"""PyTorch modules for activations that `torch.nn` lacks; importing this file imports PyTorch."""

from __future__ import annotations

import torch
from torch import nn


class Sine(nn.Module):
    """Applies the sine to every element."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """sin(x), of the shape of x."""
        return torch.sin(x)
