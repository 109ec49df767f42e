// Plots as SVG text: `svg(LineChart)` and `svg(HeatMap)`.
#pragma once

#include "heat_map.hpp"
#include "line_chart.hpp"
