// Work that is put in order once and run many times.
#pragma once

#include "../../core/macros_aside.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "queue.hpp"

namespace aila::inline v0::cuda {

/// One graph a key. Work of a key is run as it is the first time, which loads its kernels, is captured the second time,
/// and from then on is one launch. A key is numbers that tell all that work depends on; there are a few: full batches,
/// the last one of an epoch.
class Graphs {
 public:
  using Key = std::vector<std::size_t>;
  static constexpr bool looks_at_numbers = true;
  Graphs() = default;
  Graphs(const Graphs&) = delete;
  Graphs& operator=(const Graphs&) = delete;
  ~Graphs() { forget(); }

  template <class F>
  void run(Queue& queue, std::span<const std::size_t> key, F&& put_in_order) {
    for (Graph& graph : graphs_)
      if (std::ranges::equal(graph.key, key))
        return queue.run([&] {
          if (graph.program == nullptr) graph.program = capture(queue, put_in_order);
          check(cudaGraphLaunch(graph.program, queue.stream()), "cudaGraphLaunch");
        });
    if (graphs_.size() >= most) forget();
    queue.run(put_in_order);
    graphs_.push_back({Key(key.begin(), key.end()), nullptr});
  }

 private:
  static constexpr std::size_t most = 16;
  struct Graph {
    Key key;
    cudaGraphExec_t program;
  };

  template <class F>
  static cudaGraphExec_t capture(Queue& queue, F&& put_in_order) {
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t program = nullptr;
    check(cudaStreamBeginCapture(queue.stream(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    aila::detail::catching(put_in_order, [&] {  // a stream is left as it was
      cudaStreamEndCapture(queue.stream(), &graph);
      if (graph != nullptr) cudaGraphDestroy(graph);
      aila::detail::rethrow();
    });
    check(cudaStreamEndCapture(queue.stream(), &graph), "cudaStreamEndCapture");
    const cudaError_t made = cudaGraphInstantiate(&program, graph, 0);
    cudaGraphDestroy(graph);
    check(made, "cudaGraphInstantiate");
    return program;
  }
  void forget() {
    for (const Graph& graph : graphs_)
      if (graph.program != nullptr) cudaGraphExecDestroy(graph.program);
    graphs_.clear();
  }

  std::vector<Graph> graphs_;
};

}  // namespace aila::inline v0::cuda

#include "../../core/macros_back.hpp"
