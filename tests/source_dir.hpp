// Where the repository is, for tests that read its files: CMake tells it, and who compiles by hand runs them at its
// root.
#pragma once

#ifndef AILA_SOURCE_DIR
#define AILA_SOURCE_DIR "."
#endif
