// Tensors in files, in the safetensors format: independent of networks.
#pragma once

#include "safetensors_read.hpp"
#include "safetensors_write.hpp"
#include "tensor_entry.hpp"
