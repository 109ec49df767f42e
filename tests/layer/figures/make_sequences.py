#!/usr/bin/env python3
"""Figures of the layers for sequences, made with PyTorch in float64: inputs, weights, outputs and all gradients.

    python3 make_sequences.py [folder]          needs torch and safetensors; writes one file a case

A file holds x, y, dy, dx, "w.<tensor>" and "dw.<tensor>" under this library's names, and `lengths` where the samples are
of different lengths: x is then other numbers behind them, and dy zero.
"""
import math
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.set_default_dtype(torch.float64)
folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)


def randomise(module):
    """Weights away from their first values, which have zeros among them."""
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.randn_like(p) * 0.4 + (0.7 if p.dim() == 1 else 0))
    return module.eval()


def save(name, x, run, names, lengths=None):
    """`run(x, lengths)` gives y; `names` maps this library's tensors to parameters, or to lists of those it is the sum of."""
    x = x.clone()
    if lengths is not None:
        for n, length in enumerate(lengths):
            x[n, length:] *= 3
    x.requires_grad_()
    y = run(x, lengths)
    dy = torch.randn_like(y)
    if lengths is not None and y.dim() == 3:
        for n, length in enumerate(lengths):
            dy[n, length:] = 0
    y.backward(dy)
    tensors = {"x": x.detach(), "y": y.detach(), "dy": dy, "dx": x.grad}
    if lengths is not None:
        tensors["lengths"] = torch.tensor(lengths, dtype=torch.float64)
    for ours, theirs in names.items():
        parts = theirs if isinstance(theirs, list) else [theirs]
        tensors["w." + ours] = sum(p.detach() for p in parts)
        tensors["dw." + ours] = parts[0].grad
    save_file({k: v.contiguous().clone() for k, v in tensors.items()}, folder / f"{name}.safetensors")


def padding(lengths, steps):
    return None if lengths is None else torch.arange(steps)[None, :] >= torch.tensor(lengths)[:, None]


def zero_behind(y, lengths):
    return y if lengths is None else y.masked_fill(padding(lengths, y.shape[1])[..., None], 0)


def attention_names(module, prefix=""):
    return {prefix + "input_weight": module.in_proj_weight, prefix + "input_bias": module.in_proj_bias,
            prefix + "output_weight": module.out_proj.weight, prefix + "output_bias": module.out_proj.bias}


def attention(name, steps, width, heads, causal=False, lengths=None):
    module = randomise(nn.MultiheadAttention(width, heads, batch_first=True))

    def run(x, lengths):
        mask = nn.Transformer.generate_square_subsequent_mask(steps) if causal else None
        y = module(x, x, x, key_padding_mask=padding(lengths, steps), attn_mask=mask, need_weights=False)[0]
        return zero_behind(y, lengths)

    save(name, torch.randn(3, steps, width), run, attention_names(module, "self_attention."), lengths)


def block_names(module, pre, prefix="transformer_block."):
    attend, feed = prefix + "attention.", prefix + "feed_forward."
    norms = [attend + "layer_norm.", feed + "layer_norm."] if pre else [prefix + "layer_norm.", prefix + "layer_norm_1."]
    names = attention_names(module.self_attn, attend + "self_attention.")
    for ours, theirs in ((feed + "linear.", module.linear1), (feed + "linear_1.", module.linear2),
                         (norms[0], module.norm1), (norms[1], module.norm2)):
        names |= {ours + "weight": theirs.weight, ours + "bias": theirs.bias}
    return names


def block(name, pre, activation, lengths=None):
    module = randomise(nn.TransformerEncoderLayer(6, 2, 9, 0.0, activation, batch_first=True, norm_first=pre))
    if lengths is None:
        run = lambda x, _: module(x)
    else:  # behind a length this library's attention gives 0, which the residual and the norms go on from
        def run(x, lengths):
            mask = padding(lengths, x.shape[1])
            attend = lambda z: zero_behind(module.self_attn(z, z, z, key_padding_mask=mask, need_weights=False)[0], lengths)
            feed = lambda z: module.linear2(module.activation(module.linear1(z)))
            if pre:
                z = x + attend(module.norm1(x))
                return z + feed(module.norm2(z))
            z = module.norm1(x + attend(x))
            return module.norm2(z + feed(z))
    save(name, torch.randn(3, 5, 6), run, block_names(module, pre), lengths)


def recurrent(name, kind, both, lengths=None):
    module = randomise(getattr(nn, kind)(3, 5, batch_first=True, bidirectional=both))

    def run(x, lengths):
        if lengths is None:
            return module(x)[0]
        packed = pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(module(packed)[0], batch_first=True, total_length=x.shape[1])[0]

    names = {}
    for ours, theirs in (("forward.", "_l0"), ("backward.", "_l0_reverse")) if both else (("", "_l0"),):
        prefix = ("bidirectional." if both else kind.lower() + ".") + ours
        of = lambda tensor: getattr(module, tensor + theirs)
        names |= {prefix + "weight_ih": of("weight_ih"), prefix + "weight_hh": of("weight_hh")}
        if kind == "LSTM":  # one bias here
            names[prefix + "bias"] = [of("bias_ih"), of("bias_hh")]
        else:
            names |= {prefix + "bias_ih": of("bias_ih"), prefix + "bias_hh": of("bias_hh")}
    save(name, torch.randn(3, 6, 3), run, names, lengths)


def to_patches(module, image):
    """image [N, H, W, C] -> [N, patches, width], by a convolution."""
    return module(image.permute(0, 3, 1, 2)).flatten(2).transpose(1, 2)


def patches(name):
    module = randomise(nn.Conv2d(3, 7, 2, 2))
    save(name, torch.randn(2, 4, 6, 3), lambda x, _: to_patches(module, x),
         {"patch_embedding.weight": module.weight, "patch_embedding.bias": module.bias})


def pooling(name, lengths=None):
    module = nn.Linear(3, 7)
    module.score = nn.Parameter(torch.zeros(7))
    randomise(module)

    def run(x, lengths):
        scores = torch.tanh(module(x)) @ module.score
        if lengths is not None:
            scores = scores.masked_fill(padding(lengths, x.shape[1]), -math.inf)
        return (torch.softmax(scores, 1)[..., None] * x).sum(1)

    save(name, torch.randn(3, 5, 3), run,
         {"attention_pooling.weight": module.weight, "attention_pooling.bias": module.bias,
          "attention_pooling.score": module.score}, lengths)


def sinusoidal(name):
    steps, width = 40, 6
    w = 10000 ** (-torch.arange(0, width, 2) / width)
    angles = torch.arange(steps)[:, None] * w
    table = torch.stack([angles.sin(), angles.cos()], 2).flatten(1)
    save(name, torch.randn(1, steps, width), lambda x, _: x + table, {})


def vision_transformer(name):
    """Patches, class token, positions, two pre-norm blocks, norm, first step, linear: arXiv 2010.11929."""
    parts = nn.ModuleDict({"patch": nn.Conv2d(3, 6, 2, 2), "norm": nn.LayerNorm(6), "head": nn.Linear(6, 4)})
    for i in range(2):
        parts[str(i)] = nn.TransformerEncoderLayer(6, 3, 8, 0.0, "gelu", batch_first=True, norm_first=True)
    parts["rest"] = nn.ParameterList([nn.Parameter(torch.randn(6)), nn.Parameter(torch.randn(5, 6))])
    randomise(parts)
    token, positions = parts["rest"]

    def run(x, _):
        z = to_patches(parts["patch"], x)
        z = torch.cat([token.expand(len(x), 1, 6), z], 1) + positions
        return parts["head"](parts["norm"](parts["1"](parts["0"](z)))[:, 0])

    save(name, torch.randn(2, 4, 4, 3), run,
         {"patch_embedding.weight": parts["patch"].weight, "patch_embedding.bias": parts["patch"].bias,
          "class_token.token": token, "learned_positions.position": positions, "layer_norm.weight": parts["norm"].weight,
          "layer_norm.bias": parts["norm"].bias, "linear.weight": parts["head"].weight, "linear.bias": parts["head"].bias}
         | block_names(parts["0"], True) | block_names(parts["1"], True, "transformer_block_1."))


torch.manual_seed(3)
lengths = [5, 2, 3]
attention("attention", 5, 6, 2)
attention("attention-causal", 5, 6, 3, causal=True)
attention("attention-lengths", 5, 6, 2, lengths=lengths)
attention("attention-causal-lengths", 5, 6, 1, causal=True, lengths=lengths)
block("transformer-pre", True, "gelu")
block("transformer-post", False, "relu")
block("transformer-pre-lengths", True, "gelu", lengths)
block("transformer-post-lengths", False, "relu", lengths)
recurrent("gru", "GRU", False)
recurrent("gru-lengths", "GRU", False, [6, 1, 4])
recurrent("gru-both", "GRU", True)
recurrent("gru-both-lengths", "GRU", True, [2, 6, 3])
recurrent("lstm-both", "LSTM", True)
recurrent("lstm-both-lengths", "LSTM", True, [4, 1, 6])
patches("patches")
pooling("pooling")
pooling("pooling-lengths", lengths)
sinusoidal("sinusoidal")
vision_transformer("vision-transformer")
