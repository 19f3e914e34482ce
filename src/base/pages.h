// Buffers that begin on a page: what direct I/O asks for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace tombolo {

inline constexpr std::size_t kPageBytes = 4'096;

inline bool is_page_aligned(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address) % kPageBytes == 0;
}
constexpr std::size_t round_to_pages(std::size_t size) {
  return (size + kPageBytes - 1) / kPageBytes * kPageBytes;
}

/// For containers whose elements begin on a page.
template <class T>
struct PageAllocator {
  using value_type = T;
  PageAllocator() = default;
  template <class U>
  PageAllocator(const PageAllocator<U>&) {}
  T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t{kPageBytes}));
  }
  void deallocate(T* at, std::size_t) { ::operator delete(at, std::align_val_t{kPageBytes}); }
  friend bool operator==(PageAllocator, PageAllocator) { return true; }
};
using PageBytes = std::vector<std::byte, PageAllocator<std::byte>>;

struct FreePages {
  void operator()(std::byte* at) const { ::operator delete(at, std::align_val_t{kPageBytes}); }
};
/// As unique_ptr<std::byte[]>, unspecified bytes.
using Pages = std::unique_ptr<std::byte[], FreePages>;
inline Pages make_pages(std::size_t size) {
  return Pages(static_cast<std::byte*>(::operator new(size, std::align_val_t{kPageBytes})));
}

}  // namespace tombolo
