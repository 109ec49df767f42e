// The macros of the library, all of them empty off CUDA.
#pragma once

#if defined(__CUDACC__)
#define AILA_HOST_DEVICE __host__ __device__
#else
#define AILA_HOST_DEVICE
#endif
