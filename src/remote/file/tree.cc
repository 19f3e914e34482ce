#include "remote/file/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/digest.h"
#include "base/encoding.h"
#include "remote/file/sidecar.h"
#include "remote/file/walk.h"

namespace tombolo::remote::file {
namespace {

constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr mode_t kDirectoryMode = 0777, kFileMode = 0666;  // the umask decides, as with cp

Result<Fd> open_at(int directory, const std::string& name, int flags) {
  const int fd = ::openat(directory, name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, kFileMode);
  if (fd < 0) return errno_error(errno, "cannot open", name);
  return Fd(fd);
}

Error no_directory(int code, const std::string& root, Marker marker) {
  Error error = errno_error(code, "cannot open the remote's directory", root);
  if (error.code != Code::kNotFound) {
    error.message += "; the user that runs the server needs the right to read and write it";
  } else if (marker == Marker::kMayBeMade) {
    error.message += "; make it (mkdir -p), or mount what it should be, and try again";
  } else {
    error = {Code::kUnavailable, error.message + "; the disk or share that holds it is probably not mounted: mount it"};
  }
  return error;
}

// Without a mount, its mount point is a directory too, and an empty one.
Result<void> require_marker(int root, const std::string& path) {
  const auto marker = open_at(root, std::string(kSystemDirectory), kDirectoryFlags);
  if (marker.ok()) return {};
  if (marker.error().code != Code::kNotFound) return marker.error();
  return Error{
      Code::kUnavailable,
      fmt::format("\"{0}\" has no \"{1}\", which every directory of a remote has: the disk or share that "
                  "belongs there is probably not mounted: mount it (if it is, and lost only that name, make it "
                  "anew: mkdir \"{0}/{1}\")",
                  path, kSystemDirectory)};
}

bool is_kind(int directory, const std::string& name, mode_t kind, struct stat& status) {
  return ::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && (status.st_mode & S_IFMT) == kind;
}

RemoteObject object_of(const std::string& key, const struct stat& status) {
  return {.key = key,
          .size = static_cast<std::uint64_t>(status.st_size),
          .etag = etag_of(status),
          .version_id = {},
          .last_modified = {status.st_mtim.tv_sec * 1'000'000LL + status.st_mtim.tv_nsec / 1'000}};
}

Result<void> check(const Condition& condition, bool exists, const struct stat& status, const std::string& key) {
  if (condition.if_absent && exists) return Error{Code::kConditionFailed, fmt::format("\"{}\" exists", key)};
  if (!condition.if_etag.empty() && (!exists || etag_of(status) != condition.if_etag)) {
    return Error{Code::kConditionFailed, fmt::format("\"{}\" is not the object expected", key)};
  }
  return {};
}

std::string sidecar_directory(const std::string& hash) {
  return hash.substr(0, 2);
}
std::string sidecar_name(const std::string& hash, const std::string& etag) {
  return hash + "." + etag;
}
std::string hash_of(const std::string& key) {
  return hex_encode(sha256(as_bytes(key)));
}

// rename() does nothing between two links of one file, so that one of them has to go first. Two files of these names
// are somebody else's doing, and the one that readers do not find may be the only copy of what tombolo put there.
Result<void> free_beside(int parent, const std::string& name, const std::string& beside, const struct stat& plain) {
  struct stat status;
  if (::fstatat(parent, beside.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? Result<void>() : errno_error(errno, "cannot look at", beside);
  }
  if (status.st_dev != plain.st_dev || status.st_ino != plain.st_ino) {
    return Error{Code::kAlreadyExists,
                 fmt::format("\"{0}\" and \"{1}\" are both there, and a directory \"{0}\" is needed: compare the two, "
                             "and move away the one that is not wanted",
                             name, beside)};
  }
  if (::unlinkat(parent, beside.c_str(), 0) != 0) return errno_error(errno, "cannot make room for", name);
  return {};
}

Result<void> drop_stale(int directory, WallTime before) {
  return walk_names(directory, [&](const std::string& name) {
    struct stat status;
    if (is_kind(directory, name, S_IFREG, status) && status.st_mtim.tv_sec < before.micros / 1'000'000) {
      ::unlinkat(directory, name.c_str(), 0);
    }
  });
}

}  // namespace

Result<std::unique_ptr<Tree>> Tree::open(const std::string& root, Opening opening) {
  const int fd = ::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return no_directory(errno, root, opening.marker);
  std::unique_ptr<Tree> tree(new Tree(Fd(fd), std::move(opening.sync)));
  if (opening.marker == Marker::kMustBeThere) {
    TRY(require_marker(fd, root));
  }
  TRY_ASSIGN(const Fd system, tree->make_directory(fd, std::string(kSystemDirectory)));
  TRY_ASSIGN(tree->temporaries_, tree->make_directory(system.get(), "temporary"));
  TRY_ASSIGN(tree->sidecars_, tree->make_directory(system.get(), "sidecars"));
  TRY(drop_stale(tree->temporaries_.get(), opening.stale_before));
  return tree;
}

Result<Fd> Tree::make_directory(int parent, const std::string& name) {
  const bool made = ::mkdirat(parent, name.c_str(), kDirectoryMode) == 0;
  if (!made && errno != EEXIST) return errno_error(errno, "cannot make the directory", name);
  TRY_ASSIGN(Fd directory, open_at(parent, name, kDirectoryFlags));
  if (!made) {
    TRY(durable_.sync_entry(parent, directory.get(), name));
    return directory;
  }
  auto synced = durable_.sync_written(parent, name);
  if (!synced.ok()) {
    ::unlinkat(parent, name.c_str(), AT_REMOVEDIR);
    return std::move(synced).error();
  }
  durable_.remember_entry(parent, directory.get());
  return directory;
}

Result<Fd> Tree::open_directory(const std::vector<std::string>& names) const {
  TRY_ASSIGN(Fd at, open_at(root_.get(), ".", kDirectoryFlags));
  for (const std::string& name : names) {
    TRY_ASSIGN(at, open_at(at.get(), name, kDirectoryFlags));
  }
  return at;
}

Result<Tree::Place> Tree::locate(const std::string& key) const {
  TRY_ASSIGN(const KeyPath path, path_of_key(key));
  Place place;
  TRY_ASSIGN(place.directory, open_directory(path.directories));
  place.name = path.leaf;
  place.exists = is_kind(place.directory.get(), place.name, S_IFREG, place.status);
  if (!place.exists) {
    const std::string beside = path.leaf + std::string(kBesideDirectory);
    if (is_kind(place.directory.get(), beside, S_IFREG, place.status)) {
      place.name = beside;
      place.exists = true;
    }
  }
  return place;
}

Result<Tree::Place> Tree::make_place(const KeyPath& path) {
  Place place;
  TRY_ASSIGN(place.directory, open_at(root_.get(), ".", kDirectoryFlags));
  for (const std::string& name : path.directories) {
    const int parent = place.directory.get();
    struct stat status;
    if (is_kind(parent, name, S_IFREG, status)) {
      // An object has the name that a directory now needs: it steps aside, with its identity.
      const std::string beside = name + std::string(kBesideDirectory);
      TRY(free_beside(parent, name, beside, status));
      if (::renameat(parent, name.c_str(), parent, beside.c_str()) != 0) {
        return errno_error(errno, "cannot make room for the directory", name);
      }
    }
    TRY_ASSIGN(place.directory, make_directory(parent, name));
  }
  const int directory = place.directory.get();
  const std::string beside = path.leaf + std::string(kBesideDirectory);
  struct stat status;
  place.name = path.leaf;
  place.exists = is_kind(directory, path.leaf, S_IFREG, place.status);
  if (!place.exists && is_kind(directory, beside, S_IFREG, place.status)) {
    place.name = beside;
    place.exists = true;
  } else if (!place.exists && is_kind(directory, path.leaf, S_IFDIR, status)) {
    place.name = beside;
  }
  return place;
}

Result<Tree::Temporary> Tree::make_temporary(const std::string& name) {
  TRY_ASSIGN(Fd fd, open_at(temporaries_.get(), name, O_WRONLY | O_CREAT | O_EXCL));
  return Temporary{name, std::move(fd)};
}

void Tree::drop_temporary(const std::string& name) {
  ::unlinkat(temporaries_.get(), name.c_str(), 0);
}

Result<void> Tree::write_sidecar(const std::string& key, const std::string& etag, const RemoteHeaders& headers) {
  const std::string text = encode_sidecar(key, headers);
  if (text.size() > kSidecarBytesMax) return Error{Code::kTooLarge, "too much metadata"};
  const std::string hash = hash_of(key);
  TRY_ASSIGN(const Fd sidecars, open_at(sidecars_.get(), ".", kDirectoryFlags));
  TRY_ASSIGN(const Fd directory, make_directory(sidecars.get(), sidecar_directory(hash)));
  TRY_ASSIGN(const Fd file, open_at(directory.get(), sidecar_name(hash, etag), O_WRONLY | O_CREAT | O_TRUNC));
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t wrote = ::write(file.get(), text.data() + done, text.size() - done);
    if (wrote < 0 && errno != EINTR) return errno_error(errno, "cannot write the sidecar of", key);
    if (wrote > 0) done += static_cast<std::size_t>(wrote);
  }
  TRY(durable_.sync_draft(file.get(), key));
  return durable_.sync_written(directory.get(), key);
}

void Tree::drop_sidecar(const std::string& key, const std::string& etag) {
  const std::string hash = hash_of(key);
  ::unlinkat(sidecars_.get(), (sidecar_directory(hash) + "/" + sidecar_name(hash, etag)).c_str(), 0);
}

Result<RemoteObject> Tree::place(const Temporary& temporary, const std::string& key, const RemoteHeaders& headers,
                                 const Condition& condition, std::int64_t mtime_ns) {
  TRY_ASSIGN(const KeyPath path, path_of_key(key));
  const struct timespec times[2] = {{0, UTIME_OMIT}, {mtime_ns / 1'000'000'000, mtime_ns % 1'000'000'000}};
  if (::futimens(temporary.fd.get(), times) != 0) return errno_error(errno, "cannot stamp", key);
  TRY(durable_.sync_draft(temporary.fd.get(), key));
  struct stat status;
  if (::fstat(temporary.fd.get(), &status) != 0) return errno_error(errno, "cannot look at", key);
  RemoteObject object = object_of(key, status);
  // The sidecar is there before its object: named by the ETag, it says nothing about what the key holds until then.
  if (needs_sidecar(headers)) {
    TRY(write_sidecar(key, object.etag, headers));
  }

  const auto place_it = [&]() -> Result<Place> {
    const std::lock_guard lock(mutex_);
    if (!condition.if_etag.empty()) {
      // Looked at first, so that a refused put leaves no directories behind.
      auto current = locate(key);
      if (!current.ok() && current.error().code != Code::kNotFound) return std::move(current).error();
      TRY(check(condition, current.ok() && current->exists, current.ok() ? current->status : status, key));
    }
    TRY_ASSIGN(Place place, make_place(path));
    TRY(check(condition, place.exists, place.status, key));
    const int to = place.directory.get();
    const int failed = condition.if_absent
                           ? ::linkat(temporaries_.get(), temporary.name.c_str(), to, place.name.c_str(), 0)
                           : ::renameat(temporaries_.get(), temporary.name.c_str(), to, place.name.c_str());
    if (failed != 0 && errno == EEXIST) return Error{Code::kConditionFailed, fmt::format("\"{}\" exists", key)};
    if (failed != 0) return errno_error(errno, "cannot place", key);
    return place;
  };
  auto placed = place_it();
  if (!placed.ok()) {
    drop_sidecar(key, object.etag);
    return std::move(placed).error();
  }
  if (condition.if_absent) drop_temporary(temporary.name);
  auto synced = durable_.sync_written(placed->directory.get(), key);
  if (!synced.ok()) {
    take_back(object);
    return std::move(synced).error();
  }
  durable_.remember(sidecar_name(hash_of(key), object.etag));
  if (placed->exists) drop_sidecar(key, etag_of(placed->status));
  return object;
}

// The next try has to write the name anew. The sidecar stays: should the name be on the disk after all, the object can
// be told for ours.
void Tree::take_back(const RemoteObject& object) {
  const std::lock_guard lock(mutex_);
  const auto now = locate(object.key);
  if (!now.ok() || !now->exists || etag_of(now->status) != object.etag) return;
  ::unlinkat(now->directory.get(), now->name.c_str(), 0);
}

Result<Tree::Opened> Tree::open_object(const std::string& key) {
  const auto none = [&] { return Error{Code::kNotFound, fmt::format("no object \"{}\"", key)}; };
  const std::shared_lock lock(mutex_);
  auto place = locate(key);
  if (!place.ok() && place.error().code == Code::kNotFound) return none();
  if (!place.ok()) return std::move(place).error();
  if (!place->exists) return none();
  TRY_ASSIGN(Fd fd, open_at(place->directory.get(), place->name, O_RDONLY | O_NONBLOCK));
  struct stat status;
  if (::fstat(fd.get(), &status) != 0) return errno_error(errno, "cannot look at", key);
  if (!S_ISREG(status.st_mode)) return none();
  return Opened{std::move(fd), object_of(key, status)};
}

Result<void> Tree::settle(const Opened& found) {
  const std::string& key = found.object.key;
  const std::string hash = hash_of(key);
  const std::string remembered = sidecar_name(hash, found.object.etag);
  if (durable_.remembers(remembered)) return {};
  TRY(durable_.sync_found(found.fd.get(), key));
  // The sidecar itself was synced before its object got a name.
  TRY_ASSIGN(const Fd sidecars, open_at(sidecars_.get(), ".", kDirectoryFlags));
  const auto beside = open_at(sidecars.get(), sidecar_directory(hash), kDirectoryFlags);
  if (beside.ok()) {
    TRY(durable_.sync_entry(sidecars.get(), beside->get(), key));
  }
  TRY_ASSIGN(const KeyPath path, path_of_key(key));
  TRY_ASSIGN(Fd at, open_directory({}));
  for (const std::string& name : path.directories) {
    TRY_ASSIGN(Fd below, open_at(at.get(), name, kDirectoryFlags));
    TRY(durable_.sync_entry(at.get(), below.get(), key));
    at = std::move(below);
  }
  TRY(durable_.sync_found(at.get(), key));
  durable_.remember(remembered);
  return {};
}

Result<HeadResult> Tree::head(const std::string& key) {
  TRY_ASSIGN(const Opened opened, open_object(key));
  TRY(settle(opened));
  HeadResult result{opened.object, {}};
  const std::string hash = hash_of(key);
  auto directory = open_at(sidecars_.get(), sidecar_directory(hash), kDirectoryFlags);
  if (!directory.ok() && directory.error().code == Code::kNotFound) return result;
  if (!directory.ok()) return std::move(directory).error();
  auto file = open_at(directory->get(), sidecar_name(hash, opened.object.etag), O_RDONLY);
  if (!file.ok() && file.error().code == Code::kNotFound) return result;
  if (!file.ok()) return std::move(file).error();
  std::string text(kSidecarBytesMax + 1, '\0');
  const ssize_t got = ::pread(file->get(), text.data(), text.size(), 0);
  if (got < 0) return errno_error(errno, "cannot read the sidecar of", key);
  text.resize(static_cast<std::size_t>(got));
  TRY_ASSIGN(result.headers, decode_sidecar(text, key));
  return result;
}

Result<ListPage> Tree::list(const ListRequest& request) {
  ListWalk walk(request, [this](const std::vector<std::string>& names) { return open_directory(names); });
  return walk.run([](const std::string& key, const struct stat& status) { return object_of(key, status); });
}

Result<void> Tree::remove(const std::string& key, const Condition& condition) {
  TRY_ASSIGN(const KeyPath path, path_of_key(key));
  const std::lock_guard lock(mutex_);
  auto place = locate(key);
  if (!place.ok() && place.error().code == Code::kNotFound) return {};
  if (!place.ok()) return std::move(place).error();
  if (!place->exists) return {};
  TRY(check(condition, true, place->status, key));
  if (::unlinkat(place->directory.get(), place->name.c_str(), 0) != 0 && errno != ENOENT) {
    return errno_error(errno, "cannot remove", key);
  }
  TRY(durable_.sync_written(place->directory.get(), key));
  drop_sidecar(key, etag_of(place->status));
  prune(path);
  return {};
}

void Tree::prune(const KeyPath& path) {
  std::vector<std::string> names = path.directories;
  while (!names.empty()) {
    const std::string name = std::move(names.back());
    names.pop_back();
    const auto parent = open_directory(names);
    if (!parent.ok() || ::unlinkat(parent->get(), name.c_str(), AT_REMOVEDIR) != 0) return;
  }
}

}  // namespace tombolo::remote::file
