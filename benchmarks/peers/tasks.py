"""What is timed, in numbers: the tasks and policies of benchmarks/works/networks.hpp, and the names of the works.

Layer j has its own output y_j = core_j(h_{j-1}) and publishes h_j = LayerNorm(ReLU(y_j + a_j)), a_1 = 0:
  bare       h_j = y_j; of convolutions ReLU(y_j)
  none       a_j = 0
  residual   a_j = h_{j-1}
  densenet   a_j = 0, and core_j reads h_{j-1}, ..., h_1 side by side
  linear     items c_0 = y_j, c_i = W_i h_i; each of 4 heads scores the slices of the items; a_j is the mean of the heads' mixtures
  attention  a_j = sum_i alpha_i W_V h_i, alpha = softmax_i <W_Q y_j, W_K h_i> / sqrt(64); of one earlier layer W_V h_1
Earlier maps of images are average-pooled to the size at hand. Names of parameters are the library's.
"""
from typing import NamedTuple

import numpy as np

WIDTH = 64
HEADS = 4
POLICIES = ('bare', 'none', 'residual', 'densenet', 'linear', 'attention')


class Task(NamedTuple):
    shape: tuple        # of one input: [steps, features] or [height, width, channels]
    batch: int
    loss: str
    outputs: int
    depth: int = 4
    strides: tuple = ()  # of convolutions; none for LSTMs


TASKS = {
    'forecast': Task((12, 1), 32, 'squared error', 1),
    'forecast32': Task((12, 1), 32, 'squared error', 1, depth=32),
    'sentiment': Task((200, 100), 64, 'binary cross-entropy', 1),
    'image': Task((32, 32, 3), 128, 'cross-entropy', 10, strides=(1, 2, 2, 1)),
}
CONVOLUTION = 'conv/3x3/16x16/64:64'
CONVOLUTION_SHAPE = (128, 16, 16, 64)
OVERHEAD = 'overhead/call'
KINDS = ('train', 'predict', 'predict1')


class Work(NamedTuple):
    kind: str
    task: Task
    policy: str


def network_names(kinds=KINDS):
    for kind in kinds:
        for task in TASKS:
            for policy in POLICIES if task != 'forecast32' else ('attention',):
                yield f'{kind}/{task}/{policy}'


def parse(name):
    kind, task, policy = name.split('/')
    return Work(kind, TASKS[task], policy)


def sizes(task):
    """Height of the map of each layer; nothing for sequences."""
    at, all_sizes = task.shape[0], []
    for stride in task.strides:
        at = -(-at // stride)
        all_sizes.append(at)
    return all_sizes


def parameter_shapes(task, policy):
    """Pairs (name, shape) of all parameters."""
    for j in range(task.depth):
        inputs = WIDTH * (j if policy == 'densenet' else 1) if j else task.shape[-1]
        core = f'stack.{j}.core.'
        if task.strides:
            yield core + 'weight', (WIDTH, inputs, 3, 3)
            yield core + 'bias', (WIDTH,)
        else:
            yield core + 'weight_ih', (4 * WIDTH, inputs)
            yield core + 'weight_hh', (4 * WIDTH, WIDTH)
            yield core + 'bias', (4 * WIDTH,)
        integrate = f'stack.{j}.integrate.'
        if policy == 'linear' and j:
            for i in range(j):
                yield f'{integrate}projection.{i}', (WIDTH, WIDTH)
            yield integrate + 'score', (HEADS, j + 1, WIDTH // HEADS)
        if policy == 'attention' and j:
            if j > 1:
                yield integrate + 'query', (WIDTH, WIDTH)
                yield integrate + 'key', (WIDTH, WIDTH)
            yield integrate + 'value', (WIDTH, WIDTH)
        if policy != 'bare':
            yield f'stack.{j}.epilogue.weight', (WIDTH,)
            yield f'stack.{j}.epilogue.bias', (WIDTH,)
    yield 'linear.weight', (task.outputs, WIDTH)
    yield 'linear.bias', (task.outputs,)


def first_parameters(task, policy):
    random = np.random.default_rng(7)
    parameters = {}
    for name, shape in parameter_shapes(task, policy):
        values = random.standard_normal(shape) * (1 / np.sqrt(np.prod(shape[1:])) if len(shape) > 1 else 0.05)
        if name.endswith('epilogue.weight'):
            values = values + 1
        parameters[name] = values.astype(np.float32)
    return parameters


def batch_of(task):
    """Inputs and targets of one batch."""
    random = np.random.default_rng(11)
    x = random.uniform(-1, 1, (task.batch, *task.shape)).astype(np.float32)
    if task.loss == 'cross-entropy':
        return x, np.arange(task.batch) % task.outputs
    if task.loss == 'binary cross-entropy':
        return x, (np.arange(task.batch) % 2).astype(np.float32)
    return x, random.uniform(-1, 1, task.batch).astype(np.float32)


def of_one_shape(found, expected):
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    if found.shape != expected.shape:
        raise ValueError(f'the shape is {list(found.shape)}, expected {list(expected.shape)}')
    return found, expected


def distance(found, expected):
    """max |found - expected| / max |expected|; of what ought to be zero, max |found|."""
    found, expected = of_one_shape(found, expected)
    largest = np.abs(expected).max()
    return float(np.abs(found - expected).max() / (largest if largest > 1e-12 else 1))


def distance_in_norm(found, expected):
    """|found - expected| / |expected|, lengths of vectors: a ReLU whose input is zero but for rounding falls to either side, and
    then a few elements of a gradient differ by more than rounding."""
    found, expected = of_one_shape(found, expected)
    length = np.linalg.norm(expected)
    return float(np.linalg.norm(found - expected) / (length if length > 1e-12 else 1))


def compare_training(loss, gradients, tensors):
    """How far loss and gradients are from those of a file that benchmark_works wrote."""
    differences = {name: distance_in_norm(g, tensors['gradient.' + name]) for name, g in gradients.items()}
    worst = max(differences, key=differences.get)
    return {'loss': distance([loss], tensors['work.loss']), 'gradient': differences[worst], 'where': worst}
