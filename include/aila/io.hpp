// Files: everything that reads or writes one, and with it JSON and streams. Not part of <aila/aila.hpp>.
#pragma once

#include "data/csv.hpp"
#include "data/scores.hpp"
#include "data/series.hpp"
#include "data/windows.hpp"
#include "io/atomic_file.hpp"
#include "io/input_file.hpp"
#include "io/model_file.hpp"
#include "io/parameter_file.hpp"
#include "io/plot.hpp"
#include "io/safetensors.hpp"
