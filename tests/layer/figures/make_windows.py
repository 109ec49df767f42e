"""Writes convolutions.safetensors and pools.safetensors: what PyTorch computes, in float64.

python make_windows.py [OUT_DIR]     needs torch and safetensors

Tensors of a case: NAME.x, y, dy (the gradient put on y), dx, and w, b, dw, db where the layer has them. Maps are
[batch, positions..., features]; weights are PyTorch's.
"""
import sys
import torch
from safetensors.torch import save_file
from torch import nn

torch.manual_seed(11)
tensors = {}


def case(name, layer, *shape):
    layer = layer.double()
    x = torch.randn(*shape, dtype=torch.float64, requires_grad=True)
    y = layer(x.movedim(-1, 1)).movedim(1, -1)
    dy = torch.randn_like(y)
    (y * dy).sum().backward()
    found = dict(x=x, y=y, dy=dy, dx=x.grad)
    for short, parameter in (('w', getattr(layer, 'weight', None)), ('b', getattr(layer, 'bias', None))):
        if parameter is not None:
            found[short], found['d' + short] = parameter, parameter.grad
    tensors.update({f'{name}.{k}': v.detach().contiguous().clone() for k, v in found.items()})


def write(file):
    save_file(tensors, file)
    print(file, len(tensors), 'tensors')
    tensors.clear()


out = sys.argv[1] if len(sys.argv) > 1 else '.'
case('same', nn.Conv2d(3, 4, 3, padding=1), 2, 4, 5, 3)
case('stride', nn.Conv2d(2, 3, 3, stride=2, padding=1), 2, 5, 6, 2)
case('dilation', nn.Conv2d(2, 3, (2, 3), dilation=(1, 2), padding=0), 2, 4, 7, 2)
case('groups', nn.Conv2d(4, 6, 3, stride=(1, 2), padding=(2, 1), groups=2, bias=False), 1, 3, 5, 4)
case('depthwise', nn.Conv2d(5, 5, 3, padding=1, groups=5), 2, 4, 3, 5)
case('depthwise_stride', nn.Conv2d(3, 3, 4, stride=3, dilation=2, padding=3, groups=3), 2, 7, 8, 3)
case('pointwise', nn.Conv2d(3, 5, 1), 2, 3, 2, 3)
case('sequence', nn.Conv1d(3, 4, 3, padding=1), 2, 7, 3)
case('sequence_stride', nn.Conv1d(4, 4, 5, stride=3, dilation=2, padding=4, groups=2), 2, 11, 4)
write(f'{out}/convolutions.safetensors')

case('max', nn.MaxPool2d(2), 2, 4, 6, 3)
case('max_overlap', nn.MaxPool2d(3, stride=2, padding=1), 2, 5, 6, 3)
case('max_window', nn.MaxPool2d((2, 3), stride=(1, 2), padding=(0, 1)), 1, 4, 5, 2)
case('max_sequence', nn.MaxPool1d(3, stride=2, padding=1), 2, 8, 3)
case('average', nn.AvgPool2d(2), 2, 4, 5, 3)
case('average_padding', nn.AvgPool2d(3, stride=2, padding=1), 2, 5, 6, 3)
case('average_sequence', nn.AvgPool1d(4, stride=3, padding=2), 2, 8, 3)
case('global_max', nn.AdaptiveMaxPool2d(1), 2, 3, 4, 5)
write(f'{out}/pools.safetensors')
