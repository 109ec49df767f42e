// What training gives, bit by bit: weights of small networks after some steps are what they always were.
#include <doctest/doctest.h>

#include <aila/backend/cpu.hpp>
#include <aila/integrate/policies.hpp>
#include <aila/layer/layers.hpp>
#include <aila/learn/losses.hpp>
#include <aila/learn/optimisers.hpp>
#include <aila/learn/trainer.hpp>
#include <cstdint>
#include <cstring>
#include <optional>
#include <ostream>
#include <span>
#include <vector>

namespace {

using namespace aila;

constexpr std::size_t words = 23;

/// FNV-1a over the bytes of 32-bit numbers, the lowest first.
std::uint64_t digest_of(std::span<const float> numbers, std::uint64_t hash) {
  for (const float number : numbers) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &number, sizeof bits);
    for (int byte = 0; byte < 4; ++byte) hash = (hash ^ ((bits >> (8 * byte)) & 0xffU)) * 0x100000001b3U;
  }
  return hash;
}

/// The weights after eight steps on 24 samples of whole numbers divided by powers of two: nothing here is rounded.
template <class Net, class Loss>
std::uint64_t digest_of_training(Loss loss, std::size_t classes) {
  using In = NetworkInput<Net>;
  constexpr std::size_t count = 24, outputs = NetworkOutput<Net>::elements;
  Samples<In> data;
  for (std::size_t i = 0; i < count * In::elements; ++i) {
    const std::size_t number = (i * 37 + i / 7) % 65;
    if constexpr (std::is_integral_v<ElementOf<In, float>>)
      data.inputs.push_back(static_cast<std::int32_t>(number % words));
    else
      data.inputs.push_back(static_cast<float>(number) / 16 - 2);
  }
  for (std::size_t i = 0; i < count * (classes > 0 ? 1 : outputs); ++i)
    data.targets.push_back(classes > 0 ? static_cast<float>((i * 11 + i / 5) % classes)
                                       : static_cast<float>((i * 13) % 33) / 32);
  Model<Net> model{Seed{5}};
  for (Table<float>& table : model.all_tables()) table.initialise(words, Seed{5});
  Inline here;
  Trainer trainer(model, loss, AdamW{}, {.batch = 12, .clip_norm = 1}, here);
  std::vector<std::size_t> indices(12);
  for (std::size_t step = 0; step < 8; ++step) {
    for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = (step * 12 + i * 5) % count;
    REQUIRE(trainer.step(data, indices).finite);
  }
  std::uint64_t hash = digest_of(model.parameters(), 0xcbf29ce484222325U);
  for (const Table<float>& table : model.all_tables())
    for (std::size_t row = 0; row < words; ++row) hash = digest_of(table.row(row), hash);
  return hash;
}

struct Words : Network<Tokens<9>, Embedding<10>, LearnedPositions, Residual<SelfAttention<2>>,
                       Stack<integrate::Attention<>, Repeat<3, Lstm<10>>>, AttentionPooling<6>, Linear<5>> {};
struct Block : Network<Sequence<6, 8>, TransformerBlock<2, 12>, MeanOverPositions, Linear<2>> {};
struct Series
    : Network<Sequence<11, 3>, Stack<integrate::Linear<Heads<2>>, Repeat<3, Gru<8>>>, LastStep, Tanh, Linear<2>> {};
struct Picture : Network<Image<8, 8, 3>, Conv<8>, BatchNorm<>, Silu, Stack<integrate::DenseNet, Conv<8>, Conv<8>>,
                         MaxPool<2>, SqueezeExcitation<2, Sigmoid>, MeanOverPositions, Linear<3>> {};

struct Digest {
  std::uint64_t words, block, series, picture;
  bool operator==(const Digest&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Digest& d) {
  return out << std::hex << "{0x" << d.words << ", 0x" << d.block << ", 0x" << d.series << ", 0x" << d.picture << "}";
}

/// What the digests are known to be, none where they are not: sums of products are fused as compilers choose, so that
/// where there are fused multiply-adds the digests are those of one compiler with the options of tests/CMakeLists.txt.
constexpr std::optional<Digest> known() {
#if defined(__x86_64__) && !defined(__FMA__)
  return Digest{0x7c3fc058fde33db2, 0xfe871923d448f34f, 0x6a8b71c841a9b260, 0x4a96e90916fd38c3};
#elif defined(AILA_DIGEST_OPTIONS) && defined(__AVX2__) && !defined(__AVX512F__) && !defined(__clang__) && \
    __GNUC__ == 12
  return Digest{0x107c35e59e15334b, 0x7acfb9a9cb1349f8, 0xdcb04fee10b63af0, 0x22d92e1567c3c001};
#else
  return std::nullopt;
#endif
}

}  // namespace

TEST_CASE("trained weights are what they always were, bit by bit") {
  const Digest digest{digest_of_training<Words>(CrossEntropy{.label_smoothing = 0.125}, 5),
                      digest_of_training<Block>(MeanSquaredError{}, 0),
                      digest_of_training<Series>(Huber{.delta = 0.5}, 0),
                      digest_of_training<Picture>(BinaryCrossEntropy{}, 0)};
  if (known())
    CHECK(digest == *known());
  else
    MESSAGE("the digests of this compiler, its options and this processor are not known; they are ", digest);
}
