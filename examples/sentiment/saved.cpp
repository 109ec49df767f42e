// Words as a tensor of vectors, with the words themselves in the metadata.
#include "saved.hpp"

#include <aila/io/safetensors.hpp>
#include <bit>
#include <tuple>

#include "models.hpp"

namespace sentiment {
namespace {

using aila::data::Vocabulary;

/// FNV-1a of words and vectors: says whether two sets of words are one.
std::string fingerprint(const Words& words) {
  std::uint64_t hash = aila::hash_path("words");
  const auto add = [&](std::uint64_t number) { hash = (hash ^ number) * 0x100000001b3; };
  for (const auto& word : words.vocabulary.words()) add(aila::hash_path(word));
  for (const float value : words.vectors.values) add(std::bit_cast<std::uint32_t>(value));
  return std::to_string(hash);
}

/// Behind the rows of padding and of unknown words, which are zero.
std::span<const float> rows_of_words(const Words& words) {
  return std::span(words.vectors.values).subspan(Vocabulary::first * dimension);
}

}  // namespace

std::filesystem::path words_file(const std::filesystem::path& model) {
  auto path = model;
  return path.replace_filename(model.stem().string() + "-words.safetensors");
}

aila::io::Metadata metadata_of(const Words& words, const Reading& reading) {
  return {{"program", program},
          {"tokens", std::to_string(reading.tokens)},
          {"keep", reading.keep == aila::data::Keep::first ? "first" : "last"},
          {"words", fingerprint(words)}};
}

namespace {

Words load_words(const std::filesystem::path& path) {
  const example::SavedFile saved(path, program);
  const auto file = aila::io::SafetensorsFile::read(path);
  Words words{.file = saved.text("file"),
              .coverage = {.words = saved.whole_number("counted_words"),
                           .missing_words = saved.whole_number("missing_words"),
                           .tokens = saved.whole_number("counted_tokens"),
                           .missing_tokens = saved.whole_number("missing_tokens")}};
  words.vocabulary = aila::data::parse_vocabulary(saved.text("words"), aila::io::display_name(path));
  const std::vector<std::size_t> shape{words.vocabulary.words().size(), dimension};
  const auto* vectors = file.find("vectors");
  if (vectors == nullptr || vectors->shape != shape)
    file.fail("expected a tensor vectors of shape " + aila::io::shape_text(shape));
  auto& known = words.vectors;
  known.words = words.vocabulary.size();
  known.dimension = dimension;
  known.found.assign(known.words, true);
  known.values.resize(Vocabulary::first * dimension);
  const auto values = file.as<float>("vectors");
  known.values.insert(known.values.end(), values.begin(), values.end());
  return words;
}

bool has_words(const std::filesystem::path& path, const Words& words) {
  try {
    const auto there = load_words(path);
    const auto all = [](const Words& w) {
      const auto& c = w.coverage;
      return std::tuple(w.file, c.words, c.missing_words, c.tokens, c.missing_tokens, fingerprint(w));
    };
    return all(there) == all(words);
  } catch (const aila::Error&) {
    return false;  // there is none, or it is damaged
  }
}

}  // namespace

void save_words(const std::filesystem::path& path, const Words& words) {
  if (has_words(path, words)) return;
  std::string lines;
  for (const auto& word : words.vocabulary.words()) lines += word + "\n";
  const auto& c = words.coverage;
  const std::vector<aila::io::TensorEntry> tensors{
      aila::io::tensor_entry<float>("vectors", {words.vocabulary.words().size(), dimension}, rows_of_words(words))};
  aila::io::write_safetensors(path, tensors,
                              {{"program", program},
                               {"file", words.file},
                               {"words", lines},
                               {"counted_words", std::to_string(c.words)},
                               {"missing_words", std::to_string(c.missing_words)},
                               {"counted_tokens", std::to_string(c.tokens)},
                               {"missing_tokens", std::to_string(c.missing_tokens)}});
}

Saved read_saved(const std::filesystem::path& model) {
  const example::SavedFile file(model, program);
  Saved saved;
  saved.candidate = file.candidate(known_candidates());
  saved.seed = file.whole_number("seed");
  saved.reading.tokens = file.whole_number("tokens");
  if (saved.reading.tokens < 1 || saved.reading.tokens > most_tokens)
    file.fail("the metadata say " + file.text("tokens") + " tokens, a network reads 1 to " +
              std::to_string(most_tokens));
  saved.reading.keep =
      file.text("keep", {"first", "last"}) == "first" ? aila::data::Keep::first : aila::data::Keep::last;
  saved.words = load_words(words_file(model));
  if (file.text("words") != fingerprint(saved.words))
    file.fail("the words in " + aila::io::display_name(words_file(model)) + " are not those that it was trained with");
  return saved;
}

}  // namespace sentiment
