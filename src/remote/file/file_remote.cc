#include "remote/file/file_remote.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/assert.h"
#include "base/crc64.h"

namespace tombolo::remote::file {
namespace {

constexpr Duration kStaleAge = std::chrono::hours(24);  // of a temporary file that nobody finished
constexpr std::uint32_t kListLimitMax = 5'000;

/// The file being written; gone again unless it was placed.
class Draft {
 public:
  Draft(Tree& tree, Tree::Temporary temporary) : tree_(tree), temporary_(std::move(temporary)) {}
  Draft(const Draft&) = delete;
  ~Draft() {
    if (!placed_) tree_.drop_temporary(temporary_.name);
  }

  Result<void> append(BytesView bytes) {
    crc_ = crc64(bytes, crc_);
    while (!bytes.empty()) {
      const ssize_t wrote = ::pwrite(temporary_.fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return errno_error(errno, "cannot write", temporary_.name);
      bytes = bytes.subspan(static_cast<std::size_t>(wrote));
      size_ += static_cast<std::uint64_t>(wrote);
    }
    return {};
  }
  Result<RemoteObject> place(const PutRequest& request, std::int64_t mtime_ns) {
    if (size_ != request.size || crc_ != request.crc64) {
      return Error{Code::kCorrupt, fmt::format("the body of \"{}\" is not what was announced", request.key)};
    }
    auto object = tree_.place(temporary_, request.key, request.headers, request.condition, mtime_ns);
    placed_ = object.ok();
    return object;
  }

 private:
  Tree& tree_;
  Tree::Temporary temporary_;
  std::uint64_t size_ = 0, crc_ = 0;
  bool placed_ = false;
};

/// Bytes of an open file, as long as it stays the one that was opened.
class FileSource final : public ByteSource {
 public:
  FileSource(std::string remote, Tree::Opened opened, const GetRequest& request, Workers& workers)
      : remote_(std::move(remote)),
        opened_(std::make_shared<const Tree::Opened>(std::move(opened))),
        at_(request.offset),
        end_(request.offset + request.length),
        workers_(workers) {}

  Task<Block> next() override {
    if (at_ == end_) co_return Block();
    const std::size_t length = std::min<std::uint64_t>(kStreamStep, end_ - at_);
    std::function<Result<Block>()> work = [opened = opened_, at = at_, length] { return read(*opened, at, length); };
    auto block = co_await offload(workers_, std::move(work));
    if (!block.ok()) {
      co_return Error{block.error().code, fmt::format("remote \"{}\": {}", remote_, block.error().message)};
    }
    at_ += length;
    co_return block;
  }

 private:
  static Result<Block> read(const Tree::Opened& opened, std::uint64_t at, std::size_t length) {
    const std::string& key = opened.object.key;
    const auto changed = [&] {
      return Error{Code::kChangedOutside, fmt::format("\"{}\" was changed outside tombolo", key)};
    };
    Bytes bytes(length);
    for (std::size_t done = 0; done < length;) {
      const ssize_t got = ::pread(opened.fd.get(), bytes.data() + done, length - done, static_cast<off_t>(at + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return errno_error(errno, "cannot read", key);
      if (got == 0) return changed();
      done += static_cast<std::size_t>(got);
    }
    struct stat status;
    if (::fstat(opened.fd.get(), &status) != 0) return errno_error(errno, "cannot look at", key);
    if (etag_of(status) != opened.object.etag) return changed();
    return Block(std::move(bytes));
  }

  const std::string remote_;
  const std::shared_ptr<const Tree::Opened> opened_;
  std::uint64_t at_, end_;
  Workers& workers_;
};

}  // namespace

FileRemote::FileRemote(FileConfig config, std::unique_ptr<Tree> tree, Workers& workers, Clock& clock, Random& random)
    : config_(std::move(config)), tree_(std::move(tree)), workers_(workers), clock_(clock), random_(random) {}

Result<std::unique_ptr<FileRemote>> FileRemote::open(FileConfig config, Workers& workers, Clock& clock,
                                                     Random& random) {
  Opening opening;
  opening.marker = config.marker;
  opening.stale_before = {clock.wall().micros - kStaleAge.count()};
  TRY_ASSIGN(auto tree, Tree::open(config.directory, std::move(opening)));
  return std::unique_ptr<FileRemote>(new FileRemote(std::move(config), std::move(tree), workers, clock, random));
}

// File systems stamp in steps of milliseconds and give inodes again: stamps of our own, strictly increasing and with
// random digits below a microsecond, keep two versions of a key from having one ETag.
std::int64_t FileRemote::next_mtime_ns() {
  const std::int64_t now = clock_.wall().micros * 1'000 + static_cast<std::int64_t>(random_.below(1'000));
  std::int64_t last = last_mtime_ns_.load();
  while (!last_mtime_ns_.compare_exchange_weak(last, std::max(last + 1, now))) {
  }
  return std::max(last + 1, now);
}

Error FileRemote::told(Error cause) const {
  cause.message = fmt::format("remote \"{}\": {}", config_.name, cause.message);
  return cause;
}

Task<RemoteObject> FileRemote::put(PutRequest request, BodyFactory body, CallSite) {
  const std::string temporary_name = random_.hex(16);
  const auto begin = [this, temporary_name]() -> Result<std::shared_ptr<Draft>> {
    TRY_ASSIGN(auto temporary, tree_->make_temporary(temporary_name));
    return std::make_shared<Draft>(*tree_, std::move(temporary));
  };
  auto begun = co_await offload(workers_, begin);
  if (!begun.ok()) co_return told(std::move(begun).error());
  const std::shared_ptr<Draft> draft = *std::move(begun);
  const auto source = body(0, request.size);
  while (true) {
    CO_TRY_ASSIGN(const Block block, source->next());
    if (block.empty()) break;
    const auto append = [draft, block] { return draft->append(block.view()); };
    const auto appended = co_await offload(workers_, append);
    if (!appended.ok()) co_return told(appended.error());
  }
  const std::int64_t mtime_ns = next_mtime_ns();
  const auto place = [draft, &request, mtime_ns] { return draft->place(request, mtime_ns); };
  auto placed = co_await offload(workers_, place);
  co_return told(std::move(placed));
}

Task<std::unique_ptr<ByteSource>> FileRemote::get(GetRequest request, CallSite) {
  ASSERT(!request.if_etag.empty() && request.length > 0);
  const auto open = [this, key = request.key]() -> Result<std::shared_ptr<Tree::Opened>> {
    TRY_ASSIGN(auto opened, tree_->open_object(key));
    return std::make_shared<Tree::Opened>(std::move(opened));
  };
  auto opened = co_await offload(workers_, open);
  if (!opened.ok()) co_return told(std::move(opened).error());
  const RemoteObject& object = (*opened)->object;
  if (object.etag != request.if_etag) {
    co_return told(Error{Code::kChangedOutside, fmt::format("\"{}\" was changed outside tombolo", request.key)});
  }
  if (request.offset > object.size || request.length > object.size - request.offset) {
    co_return told(Error{Code::kOutOfRange, fmt::format("\"{}\" is shorter than the range asked", request.key)});
  }
  co_return std::make_unique<FileSource>(config_.name, std::move(**opened), request, workers_);
}

Task<HeadResult> FileRemote::head(std::string key, CallSite) {
  const auto work = [this, &key] { return tree_->head(key); };
  auto result = co_await offload(workers_, work);
  co_return told(std::move(result));
}

Task<ListPage> FileRemote::list(ListRequest request, CallSite) {
  request.limit = std::clamp<std::uint32_t>(request.limit, 1, kListLimitMax);
  const auto work = [this, &request] { return tree_->list(request); };
  auto result = co_await offload(workers_, work);
  co_return told(std::move(result));
}

Task<void> FileRemote::remove(std::string key, Condition condition, CallSite) {
  const auto work = [this, &key, &condition] { return tree_->remove(key, condition); };
  auto result = co_await offload(workers_, work);
  co_return told(std::move(result));
}

}  // namespace tombolo::remote::file
