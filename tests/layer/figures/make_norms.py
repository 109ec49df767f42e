"""Figures of batch normalisation and squeeze-and-excitation, by PyTorch in double: python3 make_norms.py

One safetensors file a case: input x [samples, positions..., features], weights w.*, output y, a gradient dy of it, and
the gradients dx and dw.* that follow. With a tensor `training`, statistics are the batch's, and dw.* of a running
statistic is by how much the step changes it.
"""
import pathlib
import torch
from safetensors.torch import save_file
from torch import nn

torch.manual_seed(5)
HERE = pathlib.Path(__file__).parent


class SqueezeExcitation(nn.Module):
    def __init__(self, features, squeezed, activation):
        super().__init__()
        self.linear = nn.Linear(features, squeezed)
        self.linear_1 = nn.Linear(squeezed, features)
        self.activation = activation

    def forward(self, x):  # [N, C, positions...]
        mean = x.flatten(2).mean(2)
        weight = torch.sigmoid(self.linear_1(self.activation(self.linear(mean))))
        return x * weight.view(*weight.shape, *[1] * (x.dim() - 2))


def make(name, path, module, extents, training=False):
    module = module.double().train(training)
    with torch.no_grad():
        for tensor in [*module.parameters(), *module.buffers()]:
            if tensor.is_floating_point():
                tensor.copy_(torch.rand_like(tensor) + 0.5 if tensor.dim() == 1 else torch.randn_like(tensor))
    samples, *positions, features = extents
    x = (torch.randn(extents, dtype=torch.float64) * 1.5 + 0.3).requires_grad_()
    state = {k: v.clone() for k, v in module.state_dict().items() if v.is_floating_point()}
    y = module(x.movedim(-1, 1)).movedim(1, -1)
    dy = torch.randn_like(y)
    y.backward(dy)
    file = {"x": x.detach(), "y": y.detach(), "dy": dy, "dx": x.grad}
    for key, value in state.items():
        file[f"w.{path}.{key}"] = value
    for key, value in module.named_parameters():
        file[f"dw.{path}.{key}"] = value.grad
    for key, value in module.named_buffers():
        if training and value.is_floating_point():
            file[f"dw.{path}.{key}"] = value - state[key]
    if training:
        file["training"] = torch.ones(1, dtype=torch.float64)
    save_file({k: v.contiguous() for k, v in file.items()}, HERE / f"{name}.safetensors")


make("batch-norm-evaluation", "batch_norm", nn.BatchNorm2d(5), [3, 2, 4, 5])
make("batch-norm-training", "batch_norm", nn.BatchNorm2d(5), [3, 2, 4, 5], training=True)
make("batch-norm-options", "batch_norm", nn.BatchNorm1d(17, eps=1e-3, momentum=0.25), [4, 3, 17], training=True)
make("squeeze-excitation", "squeeze_excitation", SqueezeExcitation(6, 3, nn.SiLU()), [2, 3, 4, 6])
make("squeeze-excitation-relu", "squeeze_excitation", SqueezeExcitation(17, 4, nn.ReLU()), [3, 5, 17])
