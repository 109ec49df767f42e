// Files that may be compressed by gzip. The only header that needs zlib: link aila::gzip.
#pragma once

#include "../core/macros_aside.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "../core/error.hpp"
#include "../io/input_file.hpp"
#include "../io/text.hpp"

namespace aila::inline v0::data {

/// Whether bytes begin as a gzip file does.
inline bool is_gzip(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1F} && bytes[1] == std::byte{0x8B};
}

namespace detail {

/// zlib's state, ended with the scope.
class Inflater {
 public:
  Inflater() {
    // 16: expect the header and the checksum of gzip around the data, and check them.
    if (inflateInit2(&stream_, 16 + MAX_WBITS) != Z_OK) throw_error("gzip: there is no memory to unpack");
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
};

}  // namespace detail

/// The contents of a gzip file, of one member or several. Throws Error, one sentence that begins with `name`, where it
/// is cut off, damaged (its checksum says so), followed by something else, or holds more than `limit` bytes.
inline std::vector<std::byte> gunzip(std::span<const std::byte> bytes, const std::string& name,
                                     std::size_t limit = std::size_t{1} << 31U) {
  const auto fail = [&](const std::string& sentence) { throw_error(name, ": ", sentence); };
  if (!is_gzip(bytes)) fail("expected a gzip file, found other bytes at its beginning");
  detail::Inflater inflater;
  z_stream& stream = inflater.stream();
  std::vector<std::byte> contents;
  std::size_t filled = 0;
  int result = Z_OK;
  for (;;) {
    if (stream.avail_in == 0 && !bytes.empty()) {  // zlib counts in 32 bits, so a large file goes in by parts
      const auto part = bytes.first(std::min<std::size_t>(bytes.size(), 1U << 30U));
      // zlib declares its input without const, and leaves it alone.
      stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(part.data()));
      stream.avail_in = static_cast<uInt>(part.size());
      bytes = bytes.subspan(part.size());
    }
    if (filled > limit) fail("expected at most " + std::to_string(limit) + " bytes when unpacked, found more");
    if (result == Z_STREAM_END) {
      if (stream.avail_in == 0) break;
      if (*stream.next_in != 0x1F || inflateReset(&stream) != Z_OK)
        fail("expected the end of the file after the compressed data, found other bytes");
    }
    if (filled == contents.size()) {
      const std::size_t most = limit < std::numeric_limits<std::size_t>::max() ? limit + 1 : limit;
      contents.resize(std::min(most, std::max<std::size_t>(contents.size() * 2, 1U << 16U)));
    }
    const auto room = std::min<std::size_t>(contents.size() - filled, std::numeric_limits<uInt>::max());
    stream.next_out = reinterpret_cast<Bytef*>(contents.data() + filled);
    stream.avail_out = static_cast<uInt>(room);
    result = inflate(&stream, Z_NO_FLUSH);
    filled += room - stream.avail_out;
    if (result == Z_BUF_ERROR && stream.avail_in == 0 && bytes.empty())
      fail("the compressed data end too early, so the file was cut off");
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
      fail("the compressed data are damaged" +
           (stream.msg != nullptr ? " (" + io::printable(stream.msg) + ")" : std::string()));
  }
  contents.resize(filled);
  return contents;
}

/// The whole file, unpacked where it begins as a gzip file does, whatever its name.
inline std::vector<std::byte> read_bytes_unpacked(const std::filesystem::path& path) {
  auto bytes = io::read_bytes(path);
  return is_gzip(bytes) ? gunzip(bytes, io::display_name(path)) : bytes;
}

}  // namespace aila::inline v0::data

#include "../core/macros_back.hpp"
