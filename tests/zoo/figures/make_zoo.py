"""Writes a file for each network of the zoo: what PyTorch and torchvision compute, in float64.

python make_zoo.py [OUT_DIR]     needs torch, torchvision and safetensors

Inputs, weights and the gradient put on the output are numbers of one formula, so that a file holds results alone:
  number(t, i) = h / 2^32 - 1/2 with h a hash of i and t: element i of stream t; tensor number t of the network is stream t
  x, dy          2 number(x_stream or dy_stream, i)
  weights        of two or more axes 2 sqrt(3 / fan_in) number(t, i); other `weight`s and `running_var` 1 + number(t, i) / 2;
                 the rest number(t, i) / 2
Tensors of a file, maps as [batch, positions..., features], weights in PyTorch's layout, in the order of the network:
  y              the output in evaluation mode
  y_training     the same in training mode, where the network has batch normalisation; gradients are then of this mode
  dx             four measures of the input's gradient: max|g|, sum g, sum |g|, sum g_i 2 number(sum_stream, i)
  gradients      the same of each tensor's gradient, [tensors, 4]; of a running statistic, by how much a step changes it
  sizes          elements of each tensor
  lengths        valid steps of each sample, where the network is given them
"""
import sys

import numpy as np
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

X_STREAM, DY_STREAM, SUM_STREAM = 100001, 100002, 100003


def number(stream, count):
    with np.errstate(over='ignore'):
        h = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(stream * 0x85EBCA77 & 0xFFFFFFFF)
        h = (h ^ h >> np.uint32(15)) * np.uint32(0x2C1B3C6D)
        h = (h ^ h >> np.uint32(12)) * np.uint32(0x297A2D39)
        h = h ^ h >> np.uint32(15)
    return torch.from_numpy(h.astype(np.float64) / 4294967296.0 - 0.5)


def measures(g):
    g = g.detach().double().reshape(-1)
    return torch.stack([g.abs().max(), g.sum(), g.abs().sum(), (g * 2 * number(SUM_STREAM, g.numel())).sum()])


def tensors(module):
    """Pairs (name, tensor) in the order of this library's table; of an LSTM's two biases the first."""
    if isinstance(module, nn.LSTM):
        for k in range(module.num_layers):
            for name in ('weight_ih', 'weight_hh', 'bias_ih'):
                yield name, getattr(module, f'{name}_l{k}')
        return
    if isinstance(module, nn.TransformerEncoderLayer):
        parts = [module.norm1, module.self_attn, module.norm2, module.linear1, module.linear2]
    elif isinstance(module, nn.MultiheadAttention):
        yield 'in_proj_weight', module.in_proj_weight
        yield 'in_proj_bias', module.in_proj_bias
        parts = [module.out_proj]
    else:
        yield from module.named_parameters(recurse=False)
        yield from ((n, b) for n, b in module.named_buffers(recurse=False) if n.startswith('running'))
        parts = module.children()
    for part in parts:
        yield from tensors(part)


def write(name, model, x_shape, lengths=None):
    model = model.double()
    table = list(tensors(model))
    norms = any(isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)) for m in model.modules())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        for t, (leaf, w) in enumerate(table):
            values = number(t, w.numel()).reshape(w.shape)
            if w.dim() > 1:
                values = values * 2 * np.sqrt(3 / (w.numel() / w.shape[0]))
            else:
                values = values / 2 + (1 if leaf in ('weight', 'running_var') else 0)
            w.copy_(values)
    before = [w.detach().clone() for _, w in table]
    x = (2 * number(X_STREAM, int(np.prod(x_shape)))).reshape(x_shape).requires_grad_()
    call = (lambda: model(x)) if lengths is None else (lambda: model(x, torch.tensor(lengths)))
    model.eval()
    y = call()
    found = dict(y=y)
    if norms:
        model.train()
        y = found['y_training'] = call()
    dy = 2 * number(DY_STREAM, y.numel()).reshape(y.shape)
    (y * dy).sum().backward()
    found['dx'] = measures(x.grad)
    found['gradients'] = torch.stack([measures(w.grad if w.grad is not None else w - b) for (_, w), b in zip(table, before)])
    found['sizes'] = torch.tensor([float(w.numel()) for _, w in table])
    if lengths is not None:
        found['lengths'] = torch.tensor(lengths).double()
    file = f'{OUT}/{name}.safetensors'
    save_file({k: v.detach().contiguous().clone() for k, v in found.items()}, file)
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print(f'{file}: {len(table)} tensors, {count} parameters, y up to {y.abs().max():.3g}, training {norms}')


def valid(lengths, steps):
    return torch.arange(steps) < lengths[:, None]


class Channels(nn.Sequential):
    """Layers over [batch, features, positions...], given and giving [batch, positions..., features]."""

    def forward(self, x):
        return super().forward(x.movedim(-1, 1)).movedim(1, -1)


class Lstms(nn.Module):
    def __init__(self, inputs, units, readout, outputs):
        super().__init__()
        self.lstm, self.readout, self.linear = nn.LSTM(inputs, units, 2, batch_first=True), readout, nn.Linear(units, outputs)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        h = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=x.shape[1])[0]
        return self.linear(self.readout(h, lengths))


class LastStep(nn.Module):
    def forward(self, h, lengths):
        return h[torch.arange(len(h)), lengths - 1]


class AttentionPooling(nn.Module):
    def __init__(self, features, width):
        super().__init__()
        self.weight_matrix = nn.Parameter(torch.zeros(width, features))
        self.bias, self.score = nn.Parameter(torch.zeros(width)), nn.Parameter(torch.zeros(width))

    def forward(self, h, lengths):
        scores = torch.tanh(F.linear(h, self.weight_matrix, self.bias)) @ self.score
        weights = scores.masked_fill(~valid(lengths, h.shape[1]), -torch.inf).softmax(-1)
        return (weights[..., None] * h).sum(1)


def sinusoidal(steps, width):
    t, i = torch.arange(steps).double()[:, None], torch.arange(width // 2).double()
    angle = t / 10000 ** (2 * i / width)
    return torch.stack([angle.sin(), angle.cos()], -1).reshape(steps, width)


class Transformer(nn.Module):
    """With `learned` positions: `steps` of them, and a class token where `token`; else sinusoidal ones."""

    def __init__(self, first, steps, width, heads, depth, outputs, token):
        super().__init__()
        self.first = first
        if token:
            self.token = nn.ParameterDict(dict(token=nn.Parameter(torch.zeros(width))))
            self.learned = nn.ParameterDict(dict(position=nn.Parameter(torch.zeros(steps, width))))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(width, heads, 4 * width, 0, 'gelu', batch_first=True, norm_first=True)
            for _ in range(depth))
        self.norm, self.last = nn.LayerNorm(width), nn.Linear(width, outputs)
        self.has_token = token

    def forward(self, x, lengths=None):
        h = self.first(x)
        if self.has_token:
            h = torch.cat([self.token['token'].expand(len(h), 1, -1), h], 1) + self.learned['position']
            lengths = None if lengths is None else lengths + 1
        else:
            h = h + sinusoidal(*h.shape[1:])
        inside = None if lengths is None else valid(lengths, h.shape[1])
        for block in self.blocks:
            h = block(h, src_key_padding_mask=None if inside is None else ~inside)
        h = self.norm(h)
        return self.last(h[:, 0] if self.has_token else (h * inside[..., None]).sum(1) / lengths[:, None])


class Patches(nn.Conv2d):
    def forward(self, x):
        return super().forward(x.movedim(-1, 1)).flatten(2).mT


class Added(nn.Module):
    """relu(way(x) + inner(x))."""

    def __init__(self, inner, way=lambda x: x):
        super().__init__()
        self.inner, self.way = inner, way

    def forward(self, x):
        return F.relu(self.way(x) + self.inner(x))


class Beside(nn.Sequential):
    def forward(self, x):
        return torch.cat([x, super().forward(x)], 1)


def residual_cnn_1d(features, filters, outputs):
    def conv(inputs, size=3):
        return nn.Conv1d(inputs, filters, size, padding=size // 2, bias=False), nn.BatchNorm1d(filters)
    blocks = (Added(nn.Sequential(*conv(filters), nn.ReLU(), *conv(filters))) for _ in range(4))
    return nn.Sequential(Channels(*conv(features, 7), nn.ReLU(), *blocks), Mean(), nn.Linear(filters, outputs))


class Mean(nn.Module):
    def forward(self, x):
        return x.flatten(1, -2).mean(1)


def conv2d(inputs, filters, size, stride=1):
    return nn.Conv2d(inputs, filters, size, stride, size // 2, bias=False)


def res_net(depth, classes):
    def block(inputs, filters):
        stride = filters // inputs
        inner = nn.Sequential(conv2d(inputs, filters, 3, stride), nn.BatchNorm2d(filters), nn.ReLU(),
                              conv2d(filters, filters, 3), nn.BatchNorm2d(filters))
        return Added(inner, lambda x: F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, 0, filters - inputs)))
    n = (depth - 2) // 6
    widths = [16] * (n + 1) + [32] * n + [64] * n
    return nn.Sequential(Channels(conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), *map(block, widths, widths[1:])),
                         Mean(), nn.Linear(64, classes))


def dense_net_bc(depth, growth, classes):
    layers, width = [conv2d(3, 2 * growth, 3)], 2 * growth
    for stage in range(3):
        for _ in range((depth - 4) // 6):
            layers.append(Beside(nn.BatchNorm2d(width), nn.ReLU(), conv2d(width, 4 * growth, 1),
                                 nn.BatchNorm2d(4 * growth), nn.ReLU(), conv2d(4 * growth, growth, 3)))
            width += growth
        if stage < 2:
            layers += [nn.BatchNorm2d(width), nn.ReLU(), conv2d(width, width // 2, 1), nn.AvgPool2d(2)]
            width //= 2
    return nn.Sequential(Channels(*layers, nn.BatchNorm2d(width), nn.ReLU()), Mean(), nn.Linear(width, classes))


class EfficientNet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.net = torchvision.models.efficientnet_b0(num_classes=classes, dropout=0.0, stochastic_depth_prob=0.0)

    def forward(self, x):
        return self.net(x.movedim(-1, 1))


class LinearIntegration(nn.Module):
    """arXiv 2503.22742, equations (1) and (2): mean over heads of mixtures of own output and W_i h_i."""

    def __init__(self, d, before, heads):
        super().__init__()
        self.projection = nn.ParameterList(nn.Parameter(torch.zeros(d, d)) for _ in range(before))
        # A list too: a module's own parameters come before those of its lists.
        self.score = nn.ParameterList([nn.Parameter(torch.zeros(heads, 1 + before, d // heads))])

    def forward(self, own, before):
        c = torch.stack([own] + [F.linear(h, w) for h, w in zip(before, self.projection)], -2)
        score = self.score[0]
        scores = torch.einsum('...nkc,knc->...kn', c.unflatten(-1, (len(score), -1)), score)
        return torch.einsum('...kn,...nd->...d', scores.softmax(-1), c) / len(score)


class AttentionIntegration(nn.Module):
    """Equations (4) and (5) with one head and tied values; over one map the weight is 1 and there is no query."""

    def __init__(self, d, before):
        super().__init__()
        if before > 1:
            self.query, self.key = nn.Parameter(torch.zeros(d, d)), nn.Parameter(torch.zeros(d, d))
        self.value = nn.Parameter(torch.zeros(d, d))

    def forward(self, own, before):
        h = torch.stack(before, -2)
        values = F.linear(h, self.value)
        if len(before) == 1:
            return values[..., 0, :]
        scores = torch.einsum('...d,...nd->...n', F.linear(own, self.query), F.linear(h, self.key)) / own.shape[-1] ** 0.5
        return torch.einsum('...n,...nd->...d', scores.softmax(-1), values)


def align(h, like):
    if h.dim() == 3 or h.shape == like.shape:
        return h
    return F.avg_pool2d(h.movedim(-1, 1), h.shape[1] // like.shape[1]).movedim(1, -1)


class Output(nn.Module):
    def __init__(self, lstm):
        super().__init__()
        self.lstm = lstm

    def forward(self, x):
        return self.lstm(x)[0]


class Aila(nn.Module):
    def __init__(self, cores, d, policy, readout, outputs):
        super().__init__()
        make = {'linear': lambda j: LinearIntegration(d, j, 4), 'attention': lambda j: AttentionIntegration(d, j)}[policy]
        self.layers = nn.ModuleList(
            nn.ModuleList([core, make(j) if j else nn.Identity(), nn.LayerNorm(d)]) for j, core in enumerate(cores))
        self.readout, self.linear = readout, nn.Linear(d, outputs)

    def forward(self, x):
        h = []
        for core, integrate, norm in self.layers:
            own = core(h[-1] if h else x)
            h.append(norm(F.relu(own + integrate(own, [align(g, own) for g in h]) if h else own)))
        return self.linear(self.readout(h[-1]))


OUT = sys.argv[1] if len(sys.argv) > 1 else '.'
torch.set_num_threads(1)
LENGTHS = [7, 1, 4, 6]
write('lstm2', Lstms(3, 5, LastStep(), 2), (4, 7, 3), LENGTHS)
write('attention_lstm', Lstms(3, 5, AttentionPooling(5, 5), 2), (4, 7, 3), LENGTHS)
write('transformer_mean', Transformer(nn.Linear(3, 8), 7, 8, 2, 4, 2, False), (4, 7, 3), LENGTHS)
write('transformer_token', Transformer(nn.Linear(3, 8), 8, 8, 2, 4, 2, True), (4, 7, 3), LENGTHS)
write('residual_cnn_1d', residual_cnn_1d(3, 6, 2), (4, 9, 3))
write('res_net_20', res_net(20, 10), (4, 16, 16, 3))
write('dense_net_bc_100_12', dense_net_bc(100, 12, 10), (4, 8, 8, 3))
write('efficient_net_b0', EfficientNet(10), (8, 32, 32, 3))
write('vision_transformer', Transformer(Patches(3, 16, 4, 4), 5, 16, 4, 6, 10, True), (4, 8, 8, 3))
for policy in ('linear', 'attention'):
    write(f'aila_sequence_{policy}',
          Aila([Output(nn.LSTM(8 if j else 3, 8, batch_first=True)) for j in range(4)], 8, policy,
               lambda h: h[:, -1], 2), (4, 7, 3))
    write(f'aila_image_{policy}',
          Aila([Channels(nn.Conv2d(8 if j else 3, 8, 3, (1, 2, 2, 1)[j], 1)) for j in range(4)], 8, policy, Mean(), 10),
          (4, 8, 8, 3))
