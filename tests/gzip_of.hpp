// What gzip makes of some bytes.
#pragma once

#include <zlib.h>

#include <cstdlib>
#include <string>

namespace aila_test {

/// The bytes as a gzip file of one member, at a level from 0 (stored) to 9.
inline std::string gzip_of(std::string text, int level = 9) {
  z_stream stream{};
  std::string packed(text.size() + 1000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  if (deflateInit2(&stream, level, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
      deflate(&stream, Z_FINISH) != Z_STREAM_END)
    std::abort();
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace aila_test
