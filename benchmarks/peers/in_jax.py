"""The works in JAX, as somebody who wants speed writes them: one jitted function for the whole training step, donating the
state it replaces; sequences lie with time outside, the product with the inputs of all steps is one, and the steps are a scan, not
unrolled: two, four and eight steps in one took 1.1, 1.6 and 3 times the processor's time. The policies use the same equalities as
in_torch.py. Adam by its formula.
"""
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import tasks
from tasks import HEADS, WIDTH


def lstm(x, p, core):
    """x [steps, batch, features]; gates i, f, g, o."""
    gates = jnp.einsum('tbf,gf->tbg', x, p[core + 'weight_ih']) + p[core + 'bias']
    recurrent = p[core + 'weight_hh'].T

    def step(state, gates_of_inputs):
        h, c = state
        i, f, g, o = jnp.split(gates_of_inputs + h @ recurrent, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h
    zero = jnp.zeros((x.shape[1], WIDTH), x.dtype)
    return lax.scan(step, (zero, zero), gates)[1]


def convolution(x, weight, bias, stride):
    """x [batch, height, width, channels], weight [height, width, in, out]."""
    pad = [(1, 1), (1, 1)]
    return lax.conv_general_dilated(x, weight, (stride, stride), pad, dimension_numbers=('NHWC', 'HWIO', 'NHWC')) + bias


def pooled(h, size):
    batch, height, width, channels = h.shape
    if height == size:
        return h
    r = height // size
    return h.reshape(batch, size, r, width // r, r, channels).mean((2, 4))


def norm(x, p, epilogue):
    mean = x.mean(-1, keepdims=True)
    variance = jnp.square(x - mean).mean(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * p[epilogue + 'weight'] + p[epilogue + 'bias']


def linear_integration(own, before, p, name):
    items = jnp.stack([own, *(h @ p[f'{name}projection.{i}'].T for i, h in enumerate(before))], -2)
    slices = items.reshape(*items.shape[:-1], HEADS, WIDTH // HEADS)
    weights = jax.nn.softmax(jnp.einsum('...nkc,knc->...kn', slices, p[name + 'score'])).mean(-2)
    return jnp.einsum('...n,...nd->...d', weights, items)


def attention_integration(own, before, p, name):
    if len(before) == 1:
        return before[0] @ p[name + 'value'].T
    items = jnp.stack(before, -2)
    query = own @ p[name + 'query'].T @ (p[name + 'key'] * WIDTH ** -0.5)
    weights = jax.nn.softmax(jnp.einsum('...nd,...d->...n', items, query))
    return jnp.einsum('...n,...nd->...d', weights, items) @ p[name + 'value'].T


def network(task, policy, p, x):
    images = bool(task.strides)
    h = []
    x = x if images else x.swapaxes(0, 1)
    for j in range(task.depth):
        core = f'stack.{j}.core.'
        inputs = jnp.concatenate(h[::-1], -1) if policy == 'densenet' and j > 1 else h[-1] if j else x
        own = convolution(inputs, p[core + 'weight'], p[core + 'bias'], task.strides[j]) if images else lstm(inputs, p, core)
        if policy == 'bare':
            h = [jax.nn.relu(own) if images else own]
            continue
        h = [] if policy == 'none' else h[-1:] if policy == 'residual' else h
        if images:
            h = [pooled(before, own.shape[1]) for before in h]
        if j and policy == 'residual':
            own = own + h[-1]
        elif j and policy in ('linear', 'attention'):
            integrate = linear_integration if policy == 'linear' else attention_integration
            own = own + integrate(own, h, p, f'stack.{j}.integrate.')
        h = h + [norm(jax.nn.relu(own), p, f'stack.{j}.epilogue.')]
    features = h[-1].mean((1, 2)) if images else h[-1][-1]
    return features @ p['linear.weight'].T + p['linear.bias']


def loss(task, policy, p, x, y):
    output = network(task, policy, p, x)
    if task.loss == 'cross-entropy':
        return -jnp.take_along_axis(jax.nn.log_softmax(output), y[:, None], -1).mean()
    output = output[:, 0]
    if task.loss == 'squared error':
        return jnp.square(output - y).mean()
    return (jax.nn.softplus(output) - output * y).mean()


def to_jax(parameters):
    """Convolutions' weights [out, in, height, width] as [height, width, in, out], the order that XLA's kernels read."""
    return {name: jnp.asarray(np.ascontiguousarray(w.transpose(2, 3, 1, 0)) if w.ndim == 4 else w)
            for name, w in parameters.items()}


def from_jax(parameters):
    return {name: np.asarray(w).transpose(3, 2, 0, 1) if w.ndim == 4 else np.asarray(w) for name, w in parameters.items()}


class Training:
    def __init__(self, work, threads):
        self.task = work.task
        p = to_jax(tasks.first_parameters(work.task, work.policy))
        x, y = map(jnp.asarray, tasks.batch_of(work.task))
        self.gradient = jax.value_and_grad(lambda p, x, y: loss(work.task, work.policy, p, x, y))

        def step(p, mean, square, t, x, y):
            value, g = self.gradient(p, x, y)
            t = t + 1
            mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, g)
            square = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, square, g)
            rate, root = 1e-3 / (1 - 0.9 ** t), 1 / (1 - 0.999 ** t)
            p = jax.tree.map(lambda p, m, s: p - rate * m / (jnp.sqrt(s * root) + 1e-8), p, mean, square)
            return (p, mean, square, t), value
        step = jax.jit(step, donate_argnums=(0, 1, 2))
        zeros = lambda: jax.tree.map(jnp.zeros_like, p)
        self.state = p, zeros(), zeros(), jnp.float32(0)

        def call():
            self.state, value = step(*self.state, x, y)
            value.block_until_ready()
        self.calls = {threads: call}

    def check(self, tensors):
        p = to_jax({name: tensors[name] for name in self.state[0]})
        y = tensors['work.target'].astype(np.int32 if self.task.loss == 'cross-entropy' else np.float32)
        value, gradients = jax.jit(self.gradient)(p, tensors['work.input'], y)
        return tasks.compare_training(float(value), from_jax(gradients), tensors)


class Prediction:
    def __init__(self, work, threads):
        self.names = [name for name, _ in tasks.parameter_shapes(work.task, work.policy)]
        self.p, self.single = to_jax(tasks.first_parameters(work.task, work.policy)), work.kind == 'predict1'
        self.function = jax.jit(lambda p, x: network(work.task, work.policy, p, x))
        inputs = tasks.batch_of(work.task)[0]
        x = inputs[:1].copy() if self.single else inputs
        self.calls = {threads: lambda: np.asarray(self.function(self.p, x))}

    def check(self, tensors):
        p, x = to_jax({name: tensors[name] for name in self.names}), tensors['work.input']
        parts = [x[i:i + 1] for i in range(len(x))] if self.single else [x]
        output = np.concatenate([np.asarray(self.function(p, part)) for part in parts])
        return {'output': tasks.distance(output, tensors['work.output'])}


class Convolution:
    def __init__(self, threads):
        self.function = jax.jit(lambda x, w, b: convolution(x, w, b, 1))
        random = np.random.default_rng(7)
        x = jnp.asarray(random.random(tasks.CONVOLUTION_SHAPE, np.float32))
        w, b = jnp.asarray(random.random((3, 3, WIDTH, WIDTH), np.float32)), jnp.zeros(WIDTH)
        self.calls = {threads: lambda: self.function(x, w, b).block_until_ready()}

    def check(self, tensors):
        p = to_jax({'weight': tensors['weight']})
        output = self.function(tensors['work.input'], p['weight'], tensors['bias'])
        return {'output': tasks.distance(output, tensors['work.output'])}


class Overhead:
    def __init__(self):
        function = jax.jit(lambda x: x + 1)
        x = tasks.batch_of(tasks.TASKS['forecast'])[0][:1, 0].copy()
        self.calls = {1: lambda: np.asarray(function(x))}


class Jax:
    def __init__(self, threads):
        self.threads, self.name = threads, f'JAX {jax.__version__}'

    def works(self):
        return [*tasks.network_names(), tasks.CONVOLUTION, tasks.OVERHEAD]

    def start(self, name):
        if name == tasks.OVERHEAD:
            return Overhead()
        if name == tasks.CONVOLUTION:
            return Convolution(self.threads)
        work = tasks.parse(name)
        return (Training if work.kind == 'train' else Prediction)(work, self.threads)
