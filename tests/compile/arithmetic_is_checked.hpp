// Behind a header of the library: whether it has looked at the options of the compiler's arithmetic.
#ifndef AILA_ARITHMETIC_IS_CHECKED
#error "this header does not reach core/config.hpp"
#endif
