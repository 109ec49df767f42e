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

# ---- items before the cores --------------------------------------------------------------------------------------------


def rms(v):
    return v / torch.sqrt((v * v).mean(-1, keepdim=True) + 1e-6)


def before(mix, attaches=lambda layer: layer > 0, ways=1):
    """`mix(w, layer, items)` gives what core `layer` reads, from 0 on, and at LAYERS what the stack gives."""

    def run(w, x):
        items = [x]
        for layer in range(LAYERS + 1):
            part = "end" if layer == LAYERS else f"{layer}.input"
            read = items[-1]
            if attaches(layer):
                read = mix(lambda name, *shape: w(f"stack.{part}.{name}", *shape), layer, items)
            if layer == LAYERS:
                return read
            items.append(core(w, layer, read))

    return run


def add(weights, items):
    return sum(a * v for a, v in zip(weights, items))


def combination(w, layer, items):
    return add(w("weight", 1, len(items))[0], items)


def input_mix(w, layer, items):
    return add(w("weight", 1, 2)[0], [items[0], items[-1]])


def unet(w, layer, items):
    return items[-1] + w("weight", 1, 1)[0, 0] * items[LAYERS - layer]


case("dynamic-linear-combination", before(combination))
case("input-mix", before(input_mix, lambda layer: 0 < layer < LAYERS))
case("unet-skips", before(unet, lambda layer: LAYERS // 2 <= layer < LAYERS))


def attention_residuals(heads=1, block=1, delta=False, null=False):
    def mix(w, layer, items):
        v = [items[0]] + [sum(items[i:i + block][:len(items) - i]) for i in range(1, len(items), block)]
        q = w("query", heads, WIDTH // heads)
        scores = torch.stack([(rms(m).unflatten(-1, (heads, -1)) * q).sum(-1) for m in v])  # [n, ..., heads]
        if null:
            scores = torch.cat([scores, w("null", heads).expand(1, *scores.shape[1:])])
        alpha = torch.softmax(scores, 0)
        x = sum((a[..., None] * m.unflatten(-1, (heads, -1))).flatten(-2) for a, m in zip(alpha, v))
        return sum(v) + w("gain", 1) * x if delta else x

    return mix


case("attention-residuals", before(attention_residuals()))
case("attention-residuals-heads", before(attention_residuals(heads=2)))
case("attention-residuals-blocks", before(attention_residuals(block=3)))
case("delta-attention-residuals", before(attention_residuals(block=2, delta=True, null=True)))


def deep_cross(version, ways=1, ends=None):
    def mix(w, layer, items):
        kept = [i for i in range(len(items)) if ends is None or i < ends or i + ends >= len(items)]
        v = [items[i] for i in kept]
        if version == 1:
            return add(w("weight", 1, len(v))[0], v)
        if version == 2:
            return add(w("weight", WIDTH, len(v)).T, v)
        count = ways if layer < LAYERS else 1
        q = w("query", count, WIDTH)
        b = w("channel", count, len(v), WIDTH) if count > 1 else w("channel", len(v), WIDTH)[None]
        return torch.cat([add([b[c, i] + torch.relu((rms(m) @ q[c])[..., None]) for i, m in enumerate(v)], v)
                          for c in range(count)], -1)

    return mix


case("deep-cross-attention-1", before(deep_cross(1)))
case("deep-cross-attention-2", before(deep_cross(2)))
case("deep-cross-attention-3", before(deep_cross(3)))
case("deep-cross-attention-ends", before(deep_cross(3, ends=1)))
case("deep-cross-attention-ways", before(deep_cross(3, ways=3), lambda layer: True))


def mudd(ways, static=False):
    def mix(w, layer, items):
        n, count = len(items), ways if layer < LAYERS else 1
        a = w("weight", count, n)
        if static:
            return torch.cat([add(a[c], items) for c in range(count)], -1)
        inner, outer = w("inner", count * n, WIDTH), w("outer", count * n, count * n)
        a = (torch.nn.functional.gelu(rms(items[-1]) @ inner.T) @ outer.T).unflatten(-1, (count, n)) + a
        return torch.cat([sum(a[..., c, i:i + 1] * h for i, h in enumerate(items)) for c in range(count)], -1)

    return mix


case("mudd", before(mudd(1)))
case("mudd-ways", before(mudd(4), lambda layer: True))
case("static-mudd-ways", before(mudd(4, static=True), lambda layer: True))

# ---- behind the cores --------------------------------------------------------------------------------------------------


def after(mix):
    """`mix(w, y, h)` gives what is added to y, the output of a core, of the maps h of the layers before it."""

    def run(w, x):
        h = []
        for j in range(LAYERS):
            y = core(w, j, x)
            x = y + mix(lambda name, *shape: w(f"stack.{j}.integrate.{name}", *shape), y, h) if h else y
            h.append(x)
        return x

    return run


def slices(v, heads):
    return v.unflatten(-1, (heads, -1))


def weighed(alpha, values):
    """Head by head; alpha [items, ..., heads], values a list of [..., heads, width]."""
    return sum(a[..., None] * v for a, v in zip(alpha, values)).flatten(-2)


def queried(w, y, h):
    """Attention of two heads whose query sees a task; temperature, bias of depth, a null item and an output map."""
    n, heads = len(h), 2
    values = [slices(m @ w(f"value.{i}", WIDTH, WIDTH).T, heads) for i, m in enumerate(h)]
    asking = torch.cat([y, w("task", WIDTH).expand_as(y)], -1)
    q = slices(asking @ w("query", WIDTH, 2 * WIDTH).T, heads)
    scores = torch.stack([(slices(m @ w("key", WIDTH, WIDTH).T, heads) * q).sum(-1) for m in h]) / math.sqrt(2)
    scores = scores + w("bias", heads, n).T[:, None, None]
    tau = 1 + torch.tanh(y @ w("temperature", WIDTH)) + torch.sigmoid(w("growth", 1)) * math.log(n)
    scores = torch.cat([scores * tau[..., None], w("null", heads).expand(1, *scores.shape[1:])])
    return weighed(torch.softmax(scores, 0), values) @ w("output", WIDTH, WIDTH).T


def distant(w, y, h):
    """The nearer an item's key, of a map of its own, the more; mixed with a prior of depth."""
    n = len(h)
    if n == 1:
        return h[0] @ w("value", WIDTH, WIDTH).T
    q = y @ w("query", 3, WIDTH).T
    scores = torch.stack([-((q - m @ w(f"key.{i}", 3, WIDTH).T) ** 2).sum(-1) for i, m in enumerate(h)])
    share = torch.sigmoid(w("gate", 1))
    prior = torch.softmax(w("prior", 1, n), 1).T[:, None]
    alpha = (1 - share) * torch.softmax(scores, 0) + share * prior
    return sum(a[..., None] * m for a, m in zip(alpha, h)) @ w("value", WIDTH, WIDTH).T


def inhibited(w, y, h):
    """Linear scores of one vector for all items, keys normed, a task; GELU of what is above their mean."""
    items = [y] + [m @ w(f"value.{i}", WIDTH, WIDTH).T for i, m in enumerate(h)]
    items.append(w("item", 1, WIDTH)[0].expand_as(y))
    scores = torch.stack([(slices(rms(m), 2) * w("query", 2, 2)).sum(-1) for m in items])
    scores = scores - torch.sigmoid(w("inhibition", 1)) * scores.mean(0)
    alpha = torch.nn.functional.gelu(scores) / len(items)
    return weighed(alpha, [slices(m, 2) for m in items]) @ w("output", WIDTH, WIDTH).T


def greatest(w, y, h):
    """Linear scores, of which the two greatest count."""
    items = [y] + [m @ w(f"value.{i}", WIDTH, WIDTH).T for i, m in enumerate(h)]
    scores = torch.stack([m @ v for m, v in zip(items, w("score", 1, len(items), WIDTH)[0])])
    least = scores.topk(2, 0).values[1]
    return sum(a[..., None] * m for a, m in zip(torch.softmax(scores.masked_fill(scores < least, -math.inf), 0), items))


def ratio(w, y, h):
    scores = torch.stack([m @ w("query", 1, WIDTH)[0] for m in [y] + h])
    total = scores.sum(0)
    alpha = scores / (total + torch.where(total < 0, -1e-6, 1e-6))
    return sum(a[..., None] * m for a, m in zip(alpha, [y] + h))


case("mixture-queried", after(queried))
case("mixture-distant", after(distant))
case("mixture-inhibited", after(inhibited))
case("mixture-greatest", after(greatest))
case("mixture-ratio", after(ratio))


def told_apart(w, layer, items):
    """Attention residuals whose values are gated, and solved for what alike items say together."""
    n, heads = len(items), 2
    v = [m * (1 + torch.tanh(m @ w("value_gate", WIDTH)))[..., None] for m in items]
    keys = torch.stack([slices(rms(m), heads) for m in v])  # [n, ..., heads, width]
    alpha = torch.softmax((keys * w("query", heads, WIDTH // heads)).sum(-1), 0)
    unit = keys / torch.sqrt((keys * keys).sum(-1, keepdim=True) + 1e-12)
    p = torch.exp(math.sqrt(WIDTH // heads) * (torch.einsum("i...hw,l...hw->...hil", unit, unit) - 1))
    stacked = torch.stack([slices(m, heads) for m in v], -2)  # [..., heads, n, width]
    solved = torch.linalg.solve(p + 1e-6 * torch.eye(n), stacked)
    return weighed(alpha, [solved[..., i, :] for i in range(n)])


case("mixture-told-apart", before(told_apart))
