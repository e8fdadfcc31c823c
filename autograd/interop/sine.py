"""The activation "sin" as a PyTorch module: a file of its own, for it needs PyTorch as it loads."""

from __future__ import annotations

import torch
from torch import nn


class Sine(nn.Module):
    """The sine of every number."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """sin(x), of the shape of x."""
        return torch.sin(x)
