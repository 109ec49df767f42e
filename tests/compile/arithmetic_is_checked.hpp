// Behind a header of the library: whether it has looked at the options of the compiler's arithmetic.
#ifndef AILA_HOST_DEVICE
#error "this header does not reach core/config.hpp"
#endif
