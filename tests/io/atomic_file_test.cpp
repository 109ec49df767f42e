// Files written whole or not at all, by POSIX calls and by the standard library.
#include <doctest/doctest.h>

#include <aila/io/atomic_file.hpp>
#include <aila/io/input_file.hpp>
#include <string>
#include <type_traits>

#include "temporary_folder.hpp"

#if defined(__unix__)
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#define AILA_TEST_FILES aila::io::detail::PosixFile, aila::io::detail::PortableFile
#else
#define AILA_TEST_FILES aila::io::detail::PortableFile
#endif

using namespace aila;
using namespace aila_test;

static_assert(!std::is_copy_constructible_v<io::AtomicFile>);

TEST_CASE_TEMPLATE("a file has its new contents after commit and not before", File, AILA_TEST_FILES) {
  TemporaryFolder folder;
  write_raw(folder / "a.txt", "old");
  {
    io::BasicAtomicFile<File> file(folder / "a.txt");
    file.write("new ");
    file.write("contents");
    CHECK(read_raw(folder / "a.txt") == "old");
    CHECK(folder.files() == 2);
    file.commit();
    CHECK(read_raw(folder / "a.txt") == "new contents");
    CHECK(error_of([&] { file.write("more"); }) == "a.txt: the file was written to after it was finished");
    CHECK(error_of([&] { file.commit(); }) == "a.txt: the file was finished twice");
  }
  CHECK(read_raw(folder / "a.txt") == "new contents");
  CHECK(folder.files() == 1);
}

TEST_CASE_TEMPLATE("without commit the target stays and the temporary file goes", File, AILA_TEST_FILES) {
  TemporaryFolder folder;
  write_raw(folder / "a.txt", "old");
  {
    io::BasicAtomicFile<File>(folder / "a.txt").write("half");
  }
  {
    io::BasicAtomicFile<File>(folder / "b.txt").write("half");
  }
  CHECK(read_raw(folder / "a.txt") == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE_TEMPLATE("targets that are no files are refused and left alone", File, AILA_TEST_FILES) {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder / "sub");
  const auto open = [&](const std::filesystem::path& path) {
    return error_of([&] { io::BasicAtomicFile<File> file(path); });
  };
  CHECK(open(folder / "sub") == "sub: expected a file, found a folder");
  CHECK(open(folder / "sub/").ends_with(": expected a file, found a folder"));
  CHECK(open("").ends_with(": expected a file, found a folder"));
  CHECK(open(folder / "none" / "a.txt") == "a.txt: there is no folder " + (folder / "none").string());
  write_raw(folder / "file", "x");
  CHECK(open(folder / "file" / "a.txt").starts_with("a.txt: there is no folder "));
#if defined(__unix__)
  CHECK(open("/dev/null") == "null: expected a regular file, found a device or a pipe");
  CHECK(std::filesystem::is_character_file("/dev/null"));
#endif
  CHECK(folder.files() == 2);
}

TEST_CASE("two writers of one target do not disturb each other") {
  TemporaryFolder folder;
  io::AtomicFile first(folder / "a.txt"), second(folder / "a.txt");
  first.write("first");
  second.write("second");
  second.commit();
  CHECK(read_raw(folder / "a.txt") == "second");
  first.commit();
  CHECK(read_raw(folder / "a.txt") == "first");
  CHECK(folder.files() == 1);
}

TEST_CASE("write_text writes in the working folder too, and empty text") {
  TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  CHECK(error_of([] { io::write_text("a.txt", "text"); }) == "");
  CHECK(error_of([] { io::write_text("b.txt", ""); }) == "");
  std::filesystem::current_path(before);
  CHECK(read_raw(folder / "a.txt") == "text");
  CHECK(std::filesystem::file_size(folder / "b.txt") == 0);
  CHECK(io::read_text(folder / "a.txt") == "text");
}

#if defined(__unix__)
TEST_CASE("a replaced file keeps its permissions, and a symbolic link stays one") {
  TemporaryFolder folder;
  write_raw(folder / "a.txt", "old");
  REQUIRE(::chmod((folder / "a.txt").c_str(), 0640) == 0);
  std::filesystem::create_symlink("a.txt", folder / "link");
  io::write_text(folder / "link", "new");
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(read_raw(folder / "a.txt") == "new");
  CHECK((std::filesystem::status(folder / "a.txt").permissions() & std::filesystem::perms::mask) ==
        std::filesystem::perms{0640});
}

TEST_CASE_TEMPLATE("where the system takes no more bytes, the target stays and nothing is left behind", File,
                   AILA_TEST_FILES) {
  TemporaryFolder folder;
  write_raw(folder / "a.txt", "old");
  ::rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::rlimit small = before;
  small.rlim_cur = 1000;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto message = error_of([&] {
    io::BasicAtomicFile<File> file(folder / "a.txt");
    file.write(std::string(100'000, 'x'));
    file.commit();
  });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(message.starts_with("a.txt: the file cannot be written into the folder " + folder.path().string() + " ("));
  CHECK(read_raw(folder / "a.txt") == "old");
  CHECK(folder.files() == 1);
}
#endif

TEST_CASE("reading refuses what is no readable file in one sentence") {
  TemporaryFolder folder;
  const auto read = [&](const std::filesystem::path& path) { return error_of([&] { io::read_text(path); }); };
  CHECK(read(folder / "a.txt") == "a.txt: there is no such file in the folder " + folder.path().string());
  CHECK(read(folder.path()).ends_with(": expected a file, found a folder"));
#if defined(__unix__)
  CHECK(read("/dev/zero") == "zero: expected a regular file, found a device or a pipe");
#endif
  CHECK(read(folder / "two\nlines").starts_with("two?lines: "));
}

TEST_CASE("printable text is one line of bounded length and whole characters") {
  CHECK(io::printable("a\nb\tc\x7F") == "a?b?c?");
  CHECK(io::printable(std::string(200, 'x')) == std::string(80, 'x') + "...");
  CHECK(io::printable("aä", 2) == "a...");
  CHECK(io::printable("aä", 3) == "aä");
  CHECK(io::printable("\x80\x80\x80", 2) == "...");
}
