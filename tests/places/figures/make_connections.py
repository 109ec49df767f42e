#!/usr/bin/env python3
"""Figures of the connections between layers, made with PyTorch in float64: inputs, weights, outputs and all gradients.

    python3 make_connections.py [folder]        needs torch and safetensors; writes one file a connection

Every stack has four layers tanh(W x + b) on a sequence [3, 4], and every connection is written here by its formula. A
file holds x, y, dy, dx, "w.<tensor>" and "dw.<tensor>" under this library's names.
"""
import math
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

torch.set_default_dtype(torch.float64)
folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
LAYERS, WIDTH = 4, 4


class Tensors:
    """Makes every tensor where it is first asked for, away from its first value."""

    def __init__(self):
        self.all = {}

    def __call__(self, name, *shape):
        if name not in self.all:
            self.all[name] = (torch.randn(*shape) * 0.5 + (0.3 if len(shape) == 1 else 0)).requires_grad_()
        return self.all[name]


def core(w, j, x, width=WIDTH):
    """Layer j, from 0 on."""
    at = f"stack.{j}.core.linear."
    return torch.tanh(x @ w(at + "weight", width, x.shape[-1]).T + w(at + "bias", width))


def case(name, run):
    """`run(w, x)` gives y."""
    torch.manual_seed(sum(map(ord, name)))
    w = Tensors()
    x = torch.randn(2, 3, WIDTH, requires_grad=True)
    y = run(w, x)
    dy = torch.randn_like(y)
    y.backward(dy)
    tensors = {"x": x.detach(), "y": y.detach(), "dy": dy, "dx": x.grad}
    for tensor, value in w.all.items():
        tensors["w." + tensor] = value.detach()
        tensors["dw." + tensor] = torch.zeros_like(value) if value.grad is None else value.grad
    save_file({k: v.contiguous().clone() for k, v in tensors.items()}, folder / f"{name}.safetensors")


# ---- one stream beside the cores -------------------------------------------------------------------------------------


def stream(update):
    """`update(w, j, y, states)` gives the next of the states."""

    def run(w, x):
        states = [x]
        for j in range(LAYERS):
            states.append(update(lambda name, *shape: w(f"stack.{j}.update.{name}", *shape), j,
                                 core(w, j, states[-1]), states))
        return states[-1]

    return run


def rezero(w, j, y, states):
    return states[-1] + w("weight", 1) * y


def highway(w, j, y, states):
    gate = torch.sigmoid(states[-1] @ w("weight", WIDTH, WIDTH).T + w("bias", WIDTH))
    return gate * y + (1 - gate) * states[-1]


def laurel(weighs, rank, previous):
    def update(w, j, y, states):
        a, b = 2 * torch.softmax(w("weight", 2), 0) if weighs else (1, 1)
        if rank == 0:
            return a * y + b * states[-1]
        seen = states[::-1][:previous]
        mix = w("mix", len(seen)) if previous > 1 else [1]
        u = sum(g * s for g, s in zip(mix, seen))
        return a * y + b * (states[-1] + u @ w("down", rank, WIDTH).T @ w("up", WIDTH, rank).T)

    return update


case("rezero", stream(rezero))
case("highway", stream(highway))
case("laurel-weights", stream(laurel(True, 0, 1)))
case("laurel-low-rank", stream(laurel(False, 2, 1)))
case("laurel-previous", stream(laurel(True, 2, 3)))
