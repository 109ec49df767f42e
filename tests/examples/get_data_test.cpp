// examples/get-data.sh, with archives of a few bytes in a folder that stands for the network.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <zlib.h>

#include <aila/data/find.hpp>
#include <aila/data/imdb.hpp>
#include <aila/data/mnist.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "../io/temporary_folder.hpp"

using namespace aila_test;
namespace fs = std::filesystem;

namespace {

/// A zip file that holds one file as it is.
std::string zip(const std::string& name, const std::string& contents) {
  const auto number = [](std::uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(i < 8 ? value >> (8 * i) & 0xFFU : 0U);
    return text;
  };
  const auto sum = crc32(0, reinterpret_cast<const Bytef*>(contents.data()), static_cast<uInt>(contents.size()));
  const std::string common = number(20, 2) + number(0, 8) + number(sum, 4) + number(contents.size(), 4) +
                             number(contents.size(), 4) + number(name.size(), 2) + number(0, 2);
  const std::string local = "PK\3\4" + common + name + contents;
  const std::string central = "PK\1\2" + number(20, 2) + common + number(0, 14 - 4) + number(0, 4) + name;
  return local + central + "PK\5\6" + number(0, 4) + number(1, 2) + number(1, 2) + number(central.size(), 4) +
         number(local.size(), 4) + number(0, 2);
}

struct Answer {
  int code;
  std::string says;
};

/// A server and an empty cache, and a copy of the script that expects the server's archives.
class Place : public TemporaryFolder {
 public:
  Place() {
    for (const char* name : {"server", "work/cifar-10-batches-bin", "work/aclImdb/test/pos"})
      fs::create_directories(*this / name);
    write_raw(*this / "work/cifar-10-batches-bin/test_batch.bin", "bytes of images");
    write_raw(*this / "work/aclImdb/test/pos/0_9.txt", "fine");
    write_raw(*this / "server/glove.6B.zip", zip("glove.6B.100d.txt", "the 1 2\n"));
    shell("tar -C work -czf server/cifar-10-binary.tar.gz cifar-10-batches-bin");
    shell("tar -C work -czf server/aclImdb_v1.tar.gz aclImdb");
    for (const char* family : {"mnist", "fashion-mnist"})
      for (const char* file : {"train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"})
        shell("printf '" + std::string(family) + " " + file + "' | gzip >server/" + family + "-" + file + "-ubyte.gz");
    fs::copy_file(AILA_SOURCE_DIR "/examples/get-data.sh", *this / "get-data.sh");
    expect("c32a1d4ab5d03f1284b67883e8d87530", "cifar-10-binary.tar.gz");
    expect("7c2ac02c03563afcf9b574c7e56c153a", "aclImdb_v1.tar.gz");
    expect("617afb2fe6cbd085c235baf7a465b96f4112bd7f7ccb2b2cbd649fed9cbcf2fb", "glove.6B.zip");
    expect("8d4fb7e6c68d591d4c3dfef9ec88bf0d", "fashion-mnist-train-images-idx3-ubyte.gz");
    expect("25c81989df183df01b3e8a0aad5dffbe", "fashion-mnist-train-labels-idx1-ubyte.gz");
    expect("bef4ecab320f06d8554ea6380940ec79", "fashion-mnist-t10k-images-idx3-ubyte.gz");
    expect("bb300cfdad3c16e7a12a480ee83cd310", "fashion-mnist-t10k-labels-idx1-ubyte.gz");
    expect("f68b3c2dcbeaaa9fbdd348bbdeb94873", "mnist-train-images-idx3-ubyte.gz");
    expect("d53e105ee54ea40749a09fcbcd1e9432", "mnist-train-labels-idx1-ubyte.gz");
    expect("9fb629c4189551a2d022fa330f9573f3", "mnist-t10k-images-idx3-ubyte.gz");
    expect("ec29112dd5afa0611ce80d1b7f02629c", "mnist-t10k-labels-idx1-ubyte.gz");
  }

  Answer get(const std::string& names) const {
    const std::string url = "file://" + (*this / "server").string();
    return run("AILA_DATA=cache AILA_DATA_URL='" + url + "' sh get-data.sh " + names);
  }
  /// The same where no other programs are there than sh and these.
  Answer get_with(const std::string& programs, const std::string& names) const {
    fs::remove_all(*this / "bin");
    fs::create_directories(*this / "bin");
    shell("for program in sh " + programs + "; do ln -s \"$(command -v $program)\" bin/; done");
    return run("AILA_DATA=cache PATH=$PWD/bin sh get-data.sh " + names);
  }
  Answer run(const std::string& command) const {
    const std::string whole = "cd '" + path().string() + "' && { " + command + "; } >says 2>&1 </dev/null";
    const int status = std::system(whole.c_str());
    return {WEXITSTATUS(status), read_raw(*this / "says")};
  }
  /// Whether the cache has nothing that was not finished.
  bool tidy() const {
    for (const auto& entry : fs::recursive_directory_iterator(*this / "cache"))
      if (entry.path().extension() == ".part" || entry.path().filename().string().starts_with(".")) return false;
    return true;
  }

 private:
  void shell(const std::string& command) const {
    const auto answer = run(command);
    REQUIRE_MESSAGE(answer.code == 0, command, ": ", answer.says);
  }
  /// Puts an archive's checksum in the place of the real one's.
  void expect(const std::string& real, const std::string& file) const {
    const std::string tool = real.size() == 32 ? "md5sum" : "sha256sum";
    shell("grep -q " + real + " get-data.sh");
    shell("sum=$(" + tool + " <server/" + file + ") && sed \"s/" + real +
          "/${sum%% *}/\" get-data.sh >new && mv new get-data.sh");
  }
};

bool one_line(const std::string& text) {
  return !text.empty() && text.find('\n') == text.size() - 1;
}

}  // namespace

TEST_SUITE_BEGIN("downloads");

TEST_CASE("every data set is downloaded, unpacked where it is looked for, and not downloaded again") {
  const Place place;
  const std::string all = "cifar-10 imdb glove fashion-mnist mnist";
  const auto first = place.get(all);
  REQUIRE_MESSAGE(first.code == 0, first.says);
  CHECK(read_raw(place / "cache/cifar-10-batches-bin/test_batch.bin") == "bytes of images");
  CHECK(read_raw(place / "cache/aclImdb/test/pos/0_9.txt") == "fine");
  CHECK(read_raw(place / "cache/glove/glove.6B.100d.txt") == "the 1 2\n");
  for (const std::string name : {"cifar-10", "imdb", "glove", "fashion-mnist", "mnist"})
    CHECK(aila::data::data_folder(name, place / "cache").string().starts_with((place / "cache").string()));
  for (const std::string family : {"mnist", "fashion-mnist"}) {
    const auto bytes = aila::data::read_bytes_unpacked(place / "cache" / family / "t10k-images-idx3-ubyte.gz");
    CHECK(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()) == family + " t10k-images-idx3");
  }
  CHECK(place.tidy());
  fs::remove_all(place / "server");
  const auto again = place.get(all);
  CHECK(again.code == 0);
  CHECK(again.says.find("downloading") == std::string::npos);
  fs::remove_all(place / "cache/aclImdb");  // the archive is still there
  CHECK(place.get("imdb").code == 0);
  CHECK(fs::exists(place / "cache/aclImdb/test/pos/0_9.txt"));
}

TEST_CASE("a download that was broken off goes on where it was") {
  const Place place;
  const auto archive = read_raw(place / "server/aclImdb_v1.tar.gz");
  const auto half = archive.size() / 2;
  fs::create_directories(place / "cache/archives");
  write_raw(place / "cache/archives/aclImdb_v1.tar.gz.part", archive.substr(0, half));
  write_raw(place / "server/aclImdb_v1.tar.gz", std::string(half, 'x') + archive.substr(half));
  const auto answer = place.get("imdb");
  CHECK_MESSAGE(answer.code == 0, answer.says);
  CHECK(fs::exists(place / "cache/aclImdb/test/pos/0_9.txt"));
  fs::remove_all(place / "cache/aclImdb");
  fs::rename(place / "cache/archives/aclImdb_v1.tar.gz", place / "cache/archives/aclImdb_v1.tar.gz.part");
  CHECK(place.get("imdb").code == 0);  // whole, but for its name
  CHECK(place.tidy());
}

TEST_CASE("an archive with a wrong checksum is refused, and nothing of it is unpacked") {
  const Place place;
  write_raw(place / "server/cifar-10-binary.tar.gz", read_raw(place / "server/aclImdb_v1.tar.gz"));
  const auto answer = place.get("cifar-10");
  CHECK(answer.code == 1);
  CHECK_MESSAGE(answer.says.find("it was deleted, so try again") != std::string::npos, answer.says);
  CHECK(fs::is_empty(place / "cache/archives"));
  CHECK(!fs::exists(place / "cache/cifar-10-batches-bin"));
  write_raw(place / "cache/archives/cifar-10-binary.tar.gz", "put there by somebody");
  const auto put = place.get("cifar-10");
  CHECK(put.code == 1);
  CHECK(one_line(put.says));
  CHECK(read_raw(place / "cache/archives/cifar-10-binary.tar.gz") == "put there by somebody");
}

TEST_CASE("without a network it says in one sentence what to do") {
  const Place place;
  fs::rename(place / "server", place / "elsewhere");
  const auto answer = place.get("imdb 2>err; code=$?; tail -n 1 err; exit $code");
  CHECK(answer.code == 1);
  CHECK(one_line(answer.says));
  CHECK_MESSAGE(
      answer.says.find("put it at " + (place / "cache/archives/aclImdb_v1.tar.gz").string()) != std::string::npos,
      answer.says);
  fs::copy_file(place / "elsewhere/aclImdb_v1.tar.gz", place / "cache/archives/aclImdb_v1.tar.gz");
  CHECK(place.get("imdb").code == 0);
}

TEST_CASE("the cache is in the home folder where nothing else is said") {
  const Place place;
  const std::string url = "AILA_DATA_URL='file://" + (place / "server").string() + "' ";
  const auto answer =
      place.run("unset AILA_DATA XDG_CACHE_HOME; HOME=$PWD/home; export HOME; " + url + "sh get-data.sh mnist");
  CHECK_MESSAGE(answer.code == 0, answer.says);
  CHECK(fs::exists(place / "home/.cache/aila/mnist/t10k-labels-idx1-ubyte.gz"));
}

TEST_SUITE_END();

TEST_CASE("names that are none are refused before anything is downloaded") {
  const Place place;
  const auto answer = place.get("imdb cifar");
  CHECK(answer.code == 1);
  CHECK(answer.says == "get-data: there is no data set cifar; there are: cifar-10 imdb glove fashion-mnist mnist\n");
  CHECK(!fs::exists(place / "cache"));
  CHECK(place.get("").code == 2);
}

TEST_CASE("a program that is missing is named, in one sentence") {
  const Place place;
  const auto downloads = place.get_with("mkdir rm", "imdb");
  CHECK(downloads.code == 1);
  CHECK_MESSAGE(downloads.says.ends_with("\nget-data: neither curl nor wget was found: install one of them\n"),
                downloads.says);
  fs::create_directories(place / "cache/archives");
  for (const char* archive : {"glove.6B.zip", "cifar-10-binary.tar.gz"})
    fs::copy_file(place / "server" / archive, place / "cache/archives" / archive);
  const auto unpacks = place.get_with("mkdir rm sha256sum", "glove");
  CHECK(unpacks.code == 1);
  CHECK(unpacks.says == "get-data: glove: no program for zip files was found: install unzip\n");
  const auto untars = place.get_with("mkdir rm md5sum tar", "cifar-10");
  CHECK(untars.code == 1);
  CHECK(untars.says == "get-data: cifar-10: no program for tar.gz files was found: install gzip\n");
  const auto sums = place.get_with("mkdir rm", "cifar-10");
  CHECK(sums.code == 1);
  CHECK(sums.says == "get-data: no program for checksums was found: install md5sum or openssl\n");
  CHECK(place.tidy());
}

TEST_CASE("without a folder for data it says what to set") {
  const Place place;
  const auto answer = place.run("unset AILA_DATA XDG_CACHE_HOME HOME; sh get-data.sh mnist");
  CHECK(answer.code == 1);
  CHECK(answer.says == "get-data: neither AILA_DATA nor HOME is set, so there is no folder to put data into\n");
}
