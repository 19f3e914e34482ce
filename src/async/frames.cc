#include "async/frames.h"

#include <array>
#include <cstdint>
#include <new>
#include <utility>

namespace tombolo {
namespace {

// Sanitizers see more when every frame is an allocation of its own. GCC says so by a macro, Clang by a feature.
#ifdef __has_feature
#define TOMBOLO_CLANG_SANITIZES (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define TOMBOLO_CLANG_SANITIZES 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || TOMBOLO_CLANG_SANITIZES
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif

constexpr std::size_t kStepBytes = 64;
constexpr std::size_t kSteps = 64;             // frames up to 4 KiB are kept
constexpr std::uint32_t kKeptOfASizeMax = 64;  // a deep stack of callers, in a thread that serves many connections

struct Kept {
  Kept* next;
};

struct Shelf {
  Kept* first = nullptr;
  std::uint32_t count = 0;
};

/// One a thread.
struct Shelves {
  ~Shelves() {
    closed = true;
    for (Shelf& shelf : of_size) {
      while (shelf.first != nullptr) ::operator delete(std::exchange(shelf.first, shelf.first->next));
    }
  }
  std::array<Shelf, kSteps> of_size;
  bool closed = false;  // the thread ends; what is freed after this is not kept
};

Shelf* shelf_for(std::size_t steps) {
  thread_local Shelves shelves;
  return kKeeps && steps <= kSteps && !shelves.closed ? &shelves.of_size[steps - 1] : nullptr;
}

}  // namespace

void* allocate_frame(std::size_t size) {
  const std::size_t steps = (size + kStepBytes - 1) / kStepBytes;
  Shelf* const shelf = shelf_for(steps);
  if (shelf == nullptr || shelf->first == nullptr) return ::operator new(steps * kStepBytes);
  --shelf->count;
  return std::exchange(shelf->first, shelf->first->next);
}

void free_frame(void* frame, std::size_t size) noexcept {
  Shelf* const shelf = shelf_for((size + kStepBytes - 1) / kStepBytes);
  if (shelf == nullptr || shelf->count == kKeptOfASizeMax) return ::operator delete(frame);
  ++shelf->count;
  shelf->first = new (frame) Kept{shelf->first};
}

}  // namespace tombolo
