"""The products of the works of this folder by cuBLAS and cuDNN, through PyTorch, in exact float32 on one GPU: what kernels of this
library stand beside (benchmarks/README.md has their times).

    python3 benchmarks/cuda/library_kernels.py [batch, 1024 where nothing is said]

Prints a line for each: microseconds, the median of single runs that are waited for on the device's clock, and TFLOP/s. Convolutions
have channels last, as here, and the fastest of cuDNN's algorithms.
"""
import sys

import torch

DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'  # the host runs it too, for who edits it
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
torch.backends.cudnn.benchmark = True


def median(run, rounds=15):
    each = []
    for i in range(rounds + 3):
        if DEVICE == 'cuda':
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            run()
            end.record()
            end.synchronize()
            each.append(begin.elapsed_time(end) * 1e3)
        else:
            run()
            each.append(float('nan'))
    return sorted(each[3:])[rounds // 2]


def report(name, flops, run):
    us = median(run)
    print(f'{name}: {us:.1f} us, {flops / us * 1e-6:.1f} TFLOP/s', flush=True)


def convolution(batch, size, channels, filters, stride):
    last = {'device': DEVICE, 'memory_format': torch.channels_last}
    x = torch.empty(batch, channels, size, size, **last).normal_()
    w = torch.empty(filters, channels, 3, 3, **last).normal_()
    y = torch.nn.functional.conv2d(x, w, stride=stride, padding=1)
    dy = torch.empty_like(y).normal_()
    flops = 2 * y.numel() * channels * 9
    name = f'convolution of {channels} to {filters} at {size} x {size}, stride {stride}'
    report(f'{name}, forward', flops, lambda: torch.nn.functional.conv2d(x, w, stride=stride, padding=1))
    for part, mask in (("input's gradient", [True, False, False]), ("weights' gradient", [False, True, False])):
        report(f'{name}, {part}', flops, lambda mask=mask: torch.ops.aten.convolution_backward(
            dy, x, w, [0], [stride] * 2, [1, 1], [1, 1], False, [0, 0], 1, mask))


def product(name, m, k, n, turned=False):
    """[m, k] by [k, n]; `turned`: the first lies as [k, m], as for gradients of weights."""
    a = torch.randn(k, m, device=DEVICE).T if turned else torch.randn(m, k, device=DEVICE)
    b = torch.randn(k, n, device=DEVICE)
    report(f'{name}, [{m}, {k}] by [{k}, {n}]', 2 * m * k * n, lambda: a @ b)


def main():
    batch = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    convolution(batch, 32, 3, 64, 1)
    convolution(batch, 32, 64, 64, 2)
    convolution(batch, 8, 64, 64, 1)
    rows = 200 * batch
    product("an LSTM's inputs", rows, 100, 256)
    product("an LSTM's inputs", rows, 64, 256)
    product("gradient of an LSTM's inputs", rows, 256, 64)
    product("gradient of an LSTM's weights", 256, rows, 64, turned=True)
    product('values of an integration', rows, 64, 64)


if __name__ == '__main__':
    main()
