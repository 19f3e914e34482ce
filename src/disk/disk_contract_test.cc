// What every Disk promises, run over all of them.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/uio.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <future>

#include "async/run.h"
#include "async/scope.h"
#include "async/workers.h"
#include "disk/memory/memory_disk.h"
#include "disk/posix/posix_disk.h"
#include "testing/faulty_disk.h"
#include "testing/paced_disk.h"
#include "testing/sim_disk.h"
#include "testing/test_folder.h"
#include "testing/unsynced_disk.h"

namespace tombolo::disk {
namespace {

/// A disk under test and all that it stands on.
struct Rig {
  virtual ~Rig() = default;
  virtual Disk& disk() = 0;
};

struct MemoryRig final : Rig {
  Disk& disk() override { return memory; }
  MemoryDisk memory;
};

struct PosixRig final : Rig {
  Disk& disk() override { return *posix; }

  const TestFolder root;
  Workers workers{{.threads = 2}};
  std::unique_ptr<PosixDisk> posix = *PosixDisk::open_root(root.path(), workers);
};

struct FaultyRig final : Rig {
  Disk& disk() override { return faulty; }
  MemoryDisk memory;
  testing::FaultyDisk faulty{memory};
};

struct UnsyncedRig final : Rig {
  Disk& disk() override { return unsynced; }
  PosixRig posix;
  testing::UnsyncedDisk unsynced{posix.disk()};
};

struct SimRig final : Rig {
  Disk& disk() override { return sim; }
  testing::SimMachine machine;
  testing::SimDisk sim{machine, 1};
};

/// Where no time is virtual, its pauses are real.
struct PacedRig final : Rig {
  Disk& disk() override { return paced; }
  MemoryDisk memory;
  testing::Pace pace{1, {.one_in = 2, .longest = Duration(20)}};
  testing::PacedDisk paced{memory, pace};
};

struct Kind {
  std::string name;
  std::function<std::unique_ptr<Rig>()> make;
};

class DiskContract : public ::testing::TestWithParam<Kind> {
 protected:
  Disk& disk() { return rig_->disk(); }
  template <class T>
  Result<T> run(Task<T> task) {
    return run_to_end(loop_, std::move(task));
  }
  std::unique_ptr<File> create(const std::string& path) { return *run(disk().open(path, Open::kCreateNew)); }
  void write(File& file, std::uint64_t offset, std::string_view text) {
    ASSERT_TRUE(run(file.write(offset, as_bytes(text))).ok());
  }
  std::string read(File& file, std::uint64_t offset, std::size_t length) {
    std::string out(length, '?');
    const auto result = run(file.read(offset, std::as_writable_bytes(std::span(out))));
    return result.ok() ? out : std::string(code_name(result.error().code));
  }
  std::string names(const std::string& path) {
    const auto entries = run(disk().list(path));
    if (!entries.ok()) return std::string(code_name(entries.error().code));
    std::string out;
    for (const auto& entry : *entries) out += entry.name + (entry.is_directory ? "/ " : " ");
    return out;
  }
  Code code(const Result<void>& result) { return result.ok() ? Code::kInternal : result.error().code; }

  boost::asio::io_context loop_{1};
  std::unique_ptr<Rig> rig_ = GetParam().make();
};

TEST_P(DiskContract, ReadsWhatWasWritten) {
  auto file = create("a");
  write(*file, 0, "hello");
  write(*file, 3, "p!!");
  EXPECT_EQ(read(*file, 0, 6), "help!!");
  EXPECT_EQ(*run(file->size()), 6u);
  EXPECT_TRUE(run(file->sync()).ok());
  EXPECT_EQ(read(*file, 2, 3), "lp!");
}

TEST_P(DiskContract, ReadingPastTheEndIsOutOfRange) {
  auto file = create("a");
  write(*file, 0, "hello");
  EXPECT_EQ(read(*file, 3, 3), "out_of_range");
  EXPECT_EQ(read(*file, 9, 1), "out_of_range");
}

TEST_P(DiskContract, GapsReadAsZeros) {
  auto file = create("a");
  write(*file, 4, "x");
  EXPECT_EQ(read(*file, 0, 5), std::string("\0\0\0\0x", 5));
}

TEST_P(DiskContract, TruncateCutsAndExtendsWithZeros) {
  auto file = create("a");
  write(*file, 0, "hello");
  ASSERT_TRUE(run(file->truncate(2)).ok());
  ASSERT_TRUE(run(file->truncate(4)).ok());
  EXPECT_EQ(read(*file, 0, 4), std::string("he\0\0", 4));
  EXPECT_EQ(*run(file->size()), 4u);
}

TEST_P(DiskContract, ReserveDoesNotChangeWhatIsRead) {
  auto file = create("a");
  write(*file, 0, "hello");
  ASSERT_TRUE(run(file->reserve(100'000)).ok());
  EXPECT_EQ(*run(file->size()), 5u);
  EXPECT_EQ(read(*file, 0, 5), "hello");
}

/// Whole pages, all of one byte.
PageBytes pages(std::size_t count, char fill) {
  return PageBytes(count * kPageBytes, static_cast<std::byte>(fill));
}

TEST_P(DiskContract, DirectWritesReadBackBesideOrdinaryOnes) {
  auto file = create("a");
  write(*file, 0, "head");
  const PageBytes two = pages(2, 'd');
  const PageBytes many = pages(70, 'm');
  ASSERT_TRUE(run(write_direct(*file, 2 * kPageBytes, two)).ok());
  ASSERT_TRUE(run(write_direct(*file, 4 * kPageBytes, many)).ok());
  write(*file, kPageBytes, "between");
  EXPECT_EQ(read(*file, 0, 5), std::string("head\0", 5));
  EXPECT_EQ(read(*file, kPageBytes, 8), std::string("between\0", 8));
  EXPECT_EQ(read(*file, 2 * kPageBytes - 1, 3), std::string("\0dd", 3));
  EXPECT_EQ(read(*file, 4 * kPageBytes - 1, 2), "dm");
  EXPECT_EQ(*run(file->size()), 74 * kPageBytes);
  const PageBytes again = pages(1, 'X');
  ASSERT_TRUE(run(write_direct(*file, 3 * kPageBytes, again)).ok());
  ASSERT_TRUE(run(file->sync()).ok());
  EXPECT_EQ(read(*file, 3 * kPageBytes - 1, 2), "dX");
  auto other = *run(disk().open("a", Open::kRead));
  EXPECT_EQ(read(*other, 73 * kPageBytes, kPageBytes), std::string(kPageBytes, 'm'));
  EXPECT_EQ(code(run(write_direct(*other, 0, again))), Code::kUnavailable);
}

TEST_P(DiskContract, ADirectWriteJoinsItsPieces) {
  auto file = create("a");
  const PageBytes first = pages(1, '1'), second = pages(3, '2'), third = pages(2, '3');
  const BytesView pieces[] = {first, second, third};
  ASSERT_TRUE(run(file->write_direct(kPageBytes, pieces)).ok());
  EXPECT_EQ(read(*file, 2 * kPageBytes - 1, 2), "12");
  EXPECT_EQ(read(*file, 5 * kPageBytes - 1, 2), "23");
  EXPECT_EQ(read(*file, 7 * kPageBytes - 1, 1), "3");
  EXPECT_EQ(*run(file->size()), 7 * kPageBytes);
}

TEST_P(DiskContract, DirectWritesSideBySideLeaveEachOtherAlone) {
  constexpr std::size_t kWriters = 16;
  auto file = create("a");
  ASSERT_TRUE(run(file->extend(kWriters / 2 * kPageBytes)).ok());
  std::vector<PageBytes> bytes;
  for (std::size_t i = 0; i < kWriters; ++i) bytes.push_back(pages(1, static_cast<char>('a' + i)));
  Scope writers("writers");
  for (std::size_t i = 0; i < kWriters; ++i) {
    ASSERT_TRUE(writers.spawn(loop_.get_executor(), write_direct(*file, (kWriters - 1 - i) * kPageBytes, bytes[i])));
  }
  ASSERT_TRUE(run(writers.join()).ok());
  for (std::size_t i = 0; i < kWriters; ++i) {
    EXPECT_EQ(read(*file, (kWriters - 1 - i) * kPageBytes, kPageBytes),
              std::string(kPageBytes, static_cast<char>('a' + i)));
  }
  ASSERT_TRUE(run(writers.close()).ok());
}

TEST_P(DiskContract, DirectWritesAwayFromPagesAreABug) {
  auto file = create("a");
  const PageBytes bytes = pages(2, 'x');
  const BytesView view = bytes;
  EXPECT_DEATH((void)run(write_direct(*file, 512, view)), "is_direct");
  EXPECT_DEATH((void)run(write_direct(*file, 0, view.first(100))), "is_direct");
  EXPECT_DEATH((void)run(write_direct(*file, 0, view.subspan(512, kPageBytes))), "is_direct");
}

TEST_P(DiskContract, ExtendingNeverCutsAndShowsZeros) {
  auto file = create("a");
  write(*file, 0, "hello");
  ASSERT_TRUE(run(file->extend(3)).ok());
  EXPECT_EQ(read(*file, 0, 5), "hello");
  ASSERT_TRUE(run(file->extend(2 * kPageBytes)).ok());
  const auto size = *run(file->size());  // a hint: it may be longer, not another length
  EXPECT_TRUE(size == 5 || size == 2 * kPageBytes) << size;
  EXPECT_EQ(read(*file, 0, 5), "hello");
  const PageBytes bytes = pages(1, 'd');
  ASSERT_TRUE(run(write_direct(*file, kPageBytes, bytes)).ok());
  EXPECT_EQ(*run(file->size()), 2 * kPageBytes);
  EXPECT_EQ(read(*file, 3, 3), std::string("lo\0", 3));
  EXPECT_EQ(read(*file, kPageBytes - 1, 2), std::string("\0d", 2));
}

TEST_P(DiskContract, TwoHandlesSeeTheSameBytes) {
  auto one = create("a");
  auto two = *run(disk().open("a", Open::kReadWrite));
  auto three = *run(disk().open("a", Open::kRead));
  write(*one, 0, "abc");
  write(*two, 1, "X");
  EXPECT_EQ(read(*three, 0, 3), "aXc");
  EXPECT_EQ(code(run(three->write(0, as_bytes("no")))), Code::kUnavailable);
}

TEST_P(DiskContract, OpenTellsPresentFromAbsent) {
  EXPECT_EQ(run(disk().open("a", Open::kRead)).error().code, Code::kNotFound);
  EXPECT_EQ(run(disk().open("a", Open::kReadWrite)).error().code, Code::kNotFound);
  EXPECT_EQ(run(disk().open("no/a", Open::kCreateNew)).error().code, Code::kNotFound);
  create("a");
  EXPECT_EQ(run(disk().open("a", Open::kCreateNew)).error().code, Code::kAlreadyExists);
}

TEST_P(DiskContract, PathsThatLeaveTheRootAreRefused) {
  for (const char* path : {"", "/etc/passwd", "../a", "a/../b", "a//b", "./a", "a/", "a/.."}) {
    EXPECT_EQ(run(disk().open(path, Open::kCreateNew)).error().code, Code::kInvalid) << path;
    EXPECT_EQ(code(run(disk().remove(path))), Code::kInvalid) << path;
    EXPECT_EQ(code(run(disk().make_directory(path))), Code::kInvalid) << path;
    EXPECT_EQ(code(run(disk().rename(path, "b"))), Code::kInvalid) << path;
  }
  EXPECT_EQ(run(disk().list("..")).error().code, Code::kInvalid);
  EXPECT_EQ(code(run(disk().sync_directory("/"))), Code::kInvalid);
}

TEST_P(DiskContract, ADirectoryIsNotAFile) {
  ASSERT_TRUE(run(disk().make_directory("d")).ok());
  EXPECT_EQ(run(disk().open("d", Open::kRead)).error().code, Code::kInvalid);
  create("f");
  EXPECT_EQ(code(run(disk().make_directory("f/x"))), Code::kAlreadyExists);
}

TEST_P(DiskContract, ListsInByteOrder) {
  ASSERT_TRUE(run(disk().make_directory("d/e")).ok());
  ASSERT_TRUE(run(disk().make_directory("d/e")).ok());
  create("d/b");
  create("d/a");
  create("d/Z");
  EXPECT_EQ(names(""), "d/ ");
  EXPECT_EQ(names("d"), "Z a b e/ ");
  EXPECT_EQ(names("nowhere"), "not_found");
}

TEST_P(DiskContract, RemovedNamesGoAndOpenFilesStayReadable) {
  auto file = create("a");
  write(*file, 0, "still here");
  ASSERT_TRUE(run(disk().remove("a")).ok());
  EXPECT_EQ(names(""), "");
  EXPECT_EQ(code(run(disk().remove("a"))), Code::kNotFound);
  EXPECT_EQ(read(*file, 0, 10), "still here");
  auto other = create("a");
  EXPECT_EQ(*run(other->size()), 0u);
}

TEST_P(DiskContract, OnlyEmptyDirectoriesAreRemoved) {
  ASSERT_TRUE(run(disk().make_directory("d")).ok());
  create("d/a");
  EXPECT_EQ(code(run(disk().remove("d"))), Code::kConditionFailed);
  ASSERT_TRUE(run(disk().remove("d/a")).ok());
  ASSERT_TRUE(run(disk().sync_directory("d")).ok());
  EXPECT_TRUE(run(disk().remove("d")).ok());
}

TEST_P(DiskContract, RenameReplaces) {
  ASSERT_TRUE(run(disk().make_directory("d")).ok());
  auto one = create("one");
  write(*one, 0, "1");
  auto two = create("d/two");
  write(*two, 0, "2");
  ASSERT_TRUE(run(disk().rename("one", "d/two")).ok());
  EXPECT_EQ(names(""), "d/ ");
  auto opened = *run(disk().open("d/two", Open::kRead));
  EXPECT_EQ(read(*opened, 0, 1), "1");
  EXPECT_EQ(code(run(disk().rename("one", "three"))), Code::kNotFound);
}

TEST_P(DiskContract, SyncedNamesAndBytesReadBack) {
  {
    auto file = create("a");
    write(*file, 0, "kept");
    ASSERT_TRUE(run(file->sync()).ok());
    ASSERT_TRUE(run(disk().sync_directory("")).ok());
    ASSERT_TRUE(run(disk().rename("a", "b")).ok());
    ASSERT_TRUE(run(disk().sync_directory("")).ok());
  }
  EXPECT_EQ(names(""), "b ");
  auto file = *run(disk().open("b", Open::kReadWrite));
  EXPECT_EQ(read(*file, 0, 4), "kept");
  EXPECT_GT(run(disk().space())->free_bytes, 0u);
}

INSTANTIATE_TEST_SUITE_P(All, DiskContract,
                         ::testing::Values(Kind{"Memory", [] { return std::make_unique<MemoryRig>(); }},
                                           Kind{"Posix", [] { return std::make_unique<PosixRig>(); }},
                                           Kind{"Sim", [] { return std::make_unique<SimRig>(); }},
                                           Kind{"Faulty", [] { return std::make_unique<FaultyRig>(); }},
                                           Kind{"Paced", [] { return std::make_unique<PacedRig>(); }},
                                           Kind{"Unsynced", [] { return std::make_unique<UnsyncedRig>(); }}),
                         [](const auto& test) { return test.param.name; });

// --- what only one of them has

TEST(PosixDisk, LockKeepsOthersOut) {
  PosixRig rig;
  ASSERT_TRUE(rig.posix->lock().ok());
  auto second = *PosixDisk::open_root(rig.root.path(), rig.workers);
  const auto refused = second->lock();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kBusy);
  EXPECT_NE(refused.error().message.find("another tombolo"), std::string::npos);
  rig.posix.reset();
  EXPECT_TRUE(second->lock().ok());
}

/// Whether the file system gives what is cached without waiting; tmpfs of older kernels does not.
bool tells_what_is_cached(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::byte first{};
  const iovec vector{.iov_base = &first, .iov_len = 1};
  const ssize_t got = ::preadv2(descriptor, &vector, 1, 0, RWF_NOWAIT);
  ::close(descriptor);
  return got == 1;
}

TEST(PosixDisk, AShortReadOfThePageCacheNeedsNoWorker) {
  PosixRig rig;
  const auto file = *run_to_end(rig.posix->open("a", Open::kCreateNew));
  const Bytes bytes(100'000, std::byte{7});
  ASSERT_TRUE(run_to_end(file->write(0, bytes)).ok());
  Bytes out(bytes.size());
  if (tells_what_is_cached(rig.root.path() + "/a")) {
    std::promise<void> release;
    const std::shared_future<void> released = release.get_future().share();
    for (int n = 0; n < 2; ++n) ASSERT_TRUE(rig.workers.submit([released] { released.wait(); }));
    EXPECT_TRUE(run_to_end(file->read(0, out)).ok());
    EXPECT_EQ(out, bytes);
    release.set_value();
  }
  EXPECT_EQ(run_to_end(file->read(1, out)).error().code, Code::kOutOfRange) << "its last byte is behind the end";
}

TEST(PosixDisk, RefusesASymbolicLink) {
  PosixRig rig;
  std::filesystem::create_symlink("/etc/hostname", rig.root.path() + "/link");
  EXPECT_EQ(run_to_end(rig.disk().open("link", Open::kRead)).error().code, Code::kInvalid);
}

}  // namespace
}  // namespace tombolo::disk
