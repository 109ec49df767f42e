// Times works that another program asks for, so that it can set them beside those of other libraries, turn by turn.
//
// One line in, one line of JSON out:
//   list                 {"names": [...]}
//   run NAME SECONDS     {"name", "calls", "seconds": [...], "flops", "threads", ...}: repeats the work for that long
//   latency NAME CALLS   {"name", "calls", "p50", "p99", "p999", "max"}: the distribution over single calls
//   peak                 {"1": ..., "2": ...}: GFLOP/s of fused multiply-adds on one and two threads, now
//   dump NAME FILE       {"name", "file"}: parameters, inputs and results of a new run, as safetensors
//   drop NAME            {"name"}: gives the memory of a run back
//   quit
// What cannot be done is answered by {"error": "..."}.
#include <aila/core/error.hpp>
#include <aila/io/safetensors_write.hpp>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "../fma_peak.hpp"
#include "measure.hpp"

namespace {

using nlohmann::json;
using works::Work;

class Program {
 public:
  json answer(const std::string& line) {
    std::istringstream words(line);
    std::string command, name;
    words >> command;
    if (command == "list") return list();
    if (command == "peak") return peak();
    words >> name;
    if (command == "run") return run(find(name), argument<double>(words, "seconds"));
    if (command == "latency") return latency(find(name), argument<std::size_t>(words, "calls"));
    if (command == "dump") return dump(find(name), argument<std::string>(words, "a file"));
    if (command == "drop") return drop(find(name));
    throw aila::Error("there is no command '" + command + "'");
  }

 private:
  template <class T>
  static T argument(std::istringstream& words, const char* what) {
    T value{};
    bool fits = static_cast<bool>(words >> value);
    if constexpr (std::is_arithmetic_v<T>) fits = fits && value > 0;
    if (!fits) throw aila::Error(std::string("expected a work and ") + what);
    return value;
  }
  const Work& find(const std::string& name) const {
    for (const Work& work : works_)
      if (work.name == name) return work;
    throw aila::Error("there is no work '" + name + "'");
  }
  works::Run& running(const Work& work) {
    auto& run = runs_[work.name];
    if (run == nullptr) run = work.start();
    return *run;
  }

  json list() const {
    json names = json::array();
    for (const Work& work : works_) names.push_back(work.name);
    return {{"names", names}};
  }
  json run(const Work& work, double seconds) {
    works::Run& run = running(work);
    const works::Times times = works::measure(run, seconds);
    json answer{{"name", work.name},
                {"calls", times.calls},
                {"seconds", times.seconds},
                {"flops", work.flops},
                {"threads", threads_of(work, run)}};
    if (work.bytes > 0) answer["bytes"] = work.bytes;
    if (run.beside() != nullptr) answer["beside"] = {{run.beside(), times.beside}};
    return answer;
  }
  json latency(const Work& work, std::size_t calls) {
    works::Run& run = running(work);
    const works::Latency l = works::latency(run, calls);
    return {{"name", work.name},
            {"calls", l.calls},
            {"p50", l.p50},
            {"p99", l.p99},
            {"p999", l.p999},
            {"max", l.most},
            {"threads", threads_of(work, run)}};
  }
  static std::size_t threads_of(const Work& work, const works::Run& run) {
    return run.threads_used() > 0 ? run.threads_used() : work.threads;
  }
  static json peak() {
    json answer;
    for (const int threads : {1, 2})
      answer[std::to_string(threads)] = aila_benchmarks::fma_peak_gflops<float, aila::simd::DefaultArch>(threads);
    return answer;
  }
  static json dump(const Work& work, const std::string& file) {
    const std::vector<works::Tensor> tensors = work.start()->dump();
    std::vector<aila::io::TensorEntry> entries;
    for (const works::Tensor& t : tensors)
      entries.push_back(aila::io::tensor_entry<float>(t.name, t.shape, std::span<const float>(t.values)));
    aila::io::write_safetensors(file, entries);
    return {{"name", work.name}, {"file", file}};
  }
  json drop(const Work& work) {
    runs_.erase(work.name);
    return {{"name", work.name}};
  }

  works::Works works_ = works::all_works();
  std::map<std::string, std::unique_ptr<works::Run>> runs_;
};

}  // namespace

int main() {
  Program program;
  for (std::string line; std::getline(std::cin, line) && line != "quit";) {
    json answer;
    try {
      answer = program.answer(line);
    } catch (const std::exception& e) {
      answer = {{"error", e.what()}};
    }
    std::cout << answer.dump() << std::endl;
  }
}
