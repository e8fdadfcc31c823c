"""A page where you carry out backpropagation yourself: `play`."""

from autograd.viz.player.player import Player, play

__all__ = ["Player", "play"]
