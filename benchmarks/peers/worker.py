"""Times one library: python worker.py torch|compile|jax|onnx [THREADS], spoken to as protocol.py says."""
import os
import sys

from protocol import serve

LIBRARIES = ('torch', 'compile', 'jax', 'onnx')


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in LIBRARIES or not (sys.argv + ['2'])[2].isdigit():
        sys.exit(f'usage: python worker.py {"|".join(LIBRARIES)} [THREADS]')
    which, threads = sys.argv[1], int((sys.argv + ['2'])[2])
    # Before any of them is imported: pools of threads are made then. XLA counts the processors this process may use.
    os.environ['OMP_NUM_THREADS'] = os.environ['MKL_NUM_THREADS'] = str(threads)

    def library():
        if which == 'jax':
            from in_jax import Jax
            return Jax(threads)
        if which == 'onnx':
            from in_onnx import OnnxRuntime
            return OnnxRuntime(threads)
        from in_torch import PyTorch
        return PyTorch(threads, compiled=which == 'compile')

    serve(library)


if __name__ == '__main__':
    main()
