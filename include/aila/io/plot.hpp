// Plots as SVG text: `svg(LineChart)`, `svg(HeatMap)`, and pictures made of them.
#pragma once

#include "confusion_map.hpp"
#include "heat_map.hpp"
#include "line_chart.hpp"
#include "mixture_map.hpp"
#include "panels.hpp"
#include "shaded_text.hpp"
