// Where data sets are looked for.
#include <doctest/doctest.h>

#include <aila/data/find.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "../io/temporary_folder.hpp"

namespace find_test {
using namespace aila::data;
using namespace aila_test;

namespace {

/// Sets a variable of the environment as long as it lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    const char* before = std::getenv(name);
    if (before != nullptr) before_ = before;
    had_ = before != nullptr;
    setenv(name, value.c_str(), 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() {
    if (had_)
      setenv(name_, before_.c_str(), 1);
    else
      unsetenv(name_);
  }

 private:
  const char* name_;
  std::string before_;
  bool had_ = false;
};

void put(const std::filesystem::path& file) {
  std::filesystem::create_directories(file.parent_path());
  write_raw(file, "x");
}

std::string refusal(const std::string& name, const std::filesystem::path& option = {}) {
  return error_of([&] { data_folder(name, option); });
}

}  // namespace

TEST_CASE("a data set is looked for in the option, in AILA_DATA and in the cache") {
  const TemporaryFolder one, two, three;
  const Variable data("AILA_DATA", two.path().string()), cache("XDG_CACHE_HOME", three.path().string());
  put(three / "aila/cifar-10-batches-bin/test_batch.bin");
  CHECK(data_folder("cifar-10") == three / "aila/cifar-10-batches-bin");
  put(two / "cifar-10-batches-bin/test_batch.bin");
  CHECK(data_folder("cifar-10") == two / "cifar-10-batches-bin");
  put(one / "cifar-10-batches-bin/test_batch.bin");
  CHECK(data_folder("cifar-10", one.path()) == one / "cifar-10-batches-bin");
  CHECK(data_folder("cifar-10", one / "cifar-10-batches-bin") == one / "cifar-10-batches-bin");
}

TEST_CASE("packed files count, and the home folder has the cache where nothing else is said") {
  const TemporaryFolder home;
  const Variable data("AILA_DATA", ""), cache("XDG_CACHE_HOME", ""), at("HOME", home.path().string());
  put(home / ".cache/aila/mnist/t10k-labels-idx1-ubyte.gz");
  CHECK(data_folder("mnist") == home / ".cache/aila/mnist");
}

TEST_CASE("an option that does not have the data set is refused, whatever lies elsewhere") {
  const TemporaryFolder one, two;
  const Variable data("AILA_DATA", two.path().string());
  put(two / "aclImdb/test/pos/0_7.txt");
  CHECK(data_folder("imdb") == two / "aclImdb");
  CHECK(refusal("imdb", one.path()) ==
        "data: imdb is not in " + one.path().string() + "; get it by: sh examples/get-data.sh imdb");
}

TEST_CASE("what is nowhere is refused with the way to get it") {
  const TemporaryFolder one, two;
  const Variable data("AILA_DATA", one.path().string()), cache("XDG_CACHE_HOME", two.path().string());
  CHECK(refusal("cifar-10") == "data: cifar-10 is not in " + one.path().string() + ", " + (two / "aila").string() +
                                   ", /usr/share/datasets; get it by: sh examples/get-data.sh cifar-10, or name its "
                                   "folder by --data or AILA_DATA");
  CHECK(refusal("cifar") == "data: there is no cifar among cifar-10, imdb, glove, fashion-mnist, mnist");
}
}  // namespace find_test
