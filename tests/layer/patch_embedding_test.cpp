#include <doctest/doctest.h>

#include "on_backend.hpp"
#include "run.hpp"

using namespace aila;

namespace {

template <class In, std::size_t Patch, std::size_t Width>
struct Net : Network<In, PatchEmbedding<Patch, Width>> {};

static_assert(std::is_same_v<NetworkOutput<Net<Image<32, 32, 3>, 4, 64>>, Sequence<64, 64>>);
static_assert(parameter_count<Net<Image<32, 32, 3>, 4, 64>> == 64 * (48 + 1));
static_assert(flops<Net<Image<32, 32, 3>, 4, 64>> == 64 * 64 * (2 * 48 + 1));
static_assert(!layer_accepts<PatchEmbedding<3, 8>, Image<6, 4, 1>>() &&
              !layer_accepts<PatchEmbedding<2, 8>, Vector<8>>());

}  // namespace

TEST_CASE("a patch is a square of pixels, row by row, its weights channel by channel") {
  Run<Net<Image<2, 4, 2>, 2, 1>, double> run;
  run.set("patch_embedding.weight", {1, 10, 100, 1000, 0.5, 0.25, 0.125, 2});
  run.set("patch_embedding.bias", {3});
  // Pixels in the order (row, column, channel); the first patch is columns 0 and 1 of both rows.
  CHECK(run.forward({1, 4, 2, 8, 5, 0, 6, 0, 3, 16, 4, 1, 7, 0, 8, 0}) ==
        std::vector<double>{3 + 1 + 20 + 300 + 4000 + 2 + 2 + 2 + 2, 3 + 5 + 60 + 700 + 8000});
}

TEST_CASE("patch embedding on the CPU agrees with the plain loops") {
  CHECK(cpu_error<Net<Image<4, 6, 3>, 2, 5>>(3) <= 1);
  CHECK(cpu_error<Net<Image<5, 5, 1>, 5, 17>>(2) <= 1);
  CHECK(cpu_error<Net<Image<3, 2, 19>, 1, 8>>(2) <= 1);
  CHECK(cpu_error<Net<Image<16, 16, 3>, 4, 33>>(9) <= 1);
}
