"""Predictions by ONNX Runtime, of the network of in_torch.py as it exports itself."""
import io

import numpy as np
import onnxruntime
import torch

import tasks
from in_torch import Network


def exported(network, shape):
    """The network as the bytes of an ONNX model for one shape of inputs."""
    file = io.BytesIO()
    torch.onnx.export(network.eval(), (torch.zeros(shape),), file, input_names=['x'], output_names=['y'], dynamo=False)
    return file.getvalue()


def session(model, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # Its threads wait for work by turning; with nothing to do they must leave the cores to the others at once.
    options.add_session_config_entry('session.force_spinning_stop', '1')
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=['CPUExecutionProvider'])


class Prediction:
    def __init__(self, work, threads):
        self.task, self.single = work.task, work.kind == 'predict1'
        self.network = Network(work.task, work.policy)
        inputs = tasks.batch_of(work.task)[0]
        x = inputs[:1].copy() if self.single else inputs
        self.shape, self.threads = x.shape, threads
        model = self.export(tasks.first_parameters(work.task, work.policy))

        def on(threads):
            run = session(model, threads).run
            return lambda: run(['y'], {'x': x})
        self.calls = {n: on(n) for n in ((1, threads) if self.single and threads > 1 else (threads,))}

    def export(self, parameters):
        return exported(self.network.load(parameters), self.shape)

    def check(self, tensors):
        run, x = session(self.export(tensors), self.threads).run, tensors['work.input']
        parts = [x[i:i + 1].copy() for i in range(len(x))] if self.single else [x]
        output = np.concatenate([run(['y'], {'x': part})[0] for part in parts])
        return {'output': tasks.distance(output, tensors['work.output'])}


class Overhead:
    def __init__(self):
        run = session(exported(torch.nn.Linear(1, 1), (1, 1)), 1).run
        x = tasks.batch_of(tasks.TASKS['forecast'])[0][:1, 0].copy()
        self.calls = {1: lambda: run(['y'], {'x': x})}


class OnnxRuntime:
    def __init__(self, threads):
        self.threads, self.name = threads, f'ONNX Runtime {onnxruntime.__version__}'

    def works(self):
        return [*tasks.network_names(('predict', 'predict1')), tasks.OVERHEAD]

    def start(self, name):
        return Overhead() if name == tasks.OVERHEAD else Prediction(tasks.parse(name), self.threads)
