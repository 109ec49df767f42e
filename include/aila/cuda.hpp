// backend::Cuda: training and prediction on an NVIDIA GPU. Not part of aila.hpp, for it needs the CUDA runtime's
// headers.
#pragma once

#include "backend/cuda/kernels.hpp"
#include "learn/cuda/training_step.hpp"
#include "learn/trainer.hpp"
#include "network/cuda/wavefront.hpp"
