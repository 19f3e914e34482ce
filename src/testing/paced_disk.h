// PacedDisk: a disk whose calls take simulated time, before and after they are done.
#pragma once

#include "disk/disk.h"
#include "testing/pace.h"

namespace tombolo::testing {

class PacedFile final : public disk::File {
 public:
  PacedFile(std::unique_ptr<disk::File> inner, Pace& pace) : inner_(std::move(inner)), pace_(pace) {}
  Task<void> read(std::uint64_t offset, MutableBytes out, CallSite site) override;
  Task<void> write(std::uint64_t offset, BytesView bytes, CallSite site) override;
  Task<void> write_direct(std::uint64_t offset, std::span<const BytesView> pieces, CallSite site) override;
  Task<void> sync(CallSite site) override;
  Task<std::uint64_t> size(CallSite site) override;
  Task<void> truncate(std::uint64_t size, CallSite site) override;
  Task<void> reserve(std::uint64_t size, CallSite site) override;
  Task<void> extend(std::uint64_t size, CallSite site) override;

 private:
  const std::unique_ptr<disk::File> inner_;
  Pace& pace_;
};

/// `inner` and `pace` outlive it and its files.
class PacedDisk final : public disk::Disk {
 public:
  PacedDisk(disk::Disk& inner, Pace& pace) : inner_(inner), pace_(pace) {}
  Task<std::unique_ptr<disk::File>> open(std::string path, disk::Open mode, CallSite site) override;
  Task<void> remove(std::string path, CallSite site) override;
  Task<void> rename(std::string from, std::string to, CallSite site) override;
  Task<void> make_directory(std::string path, CallSite site) override;
  Task<std::vector<disk::Entry>> list(std::string path, CallSite site) override;
  Task<void> sync_directory(std::string path, CallSite site) override;
  Task<disk::Space> space(CallSite site) override { return inner_.space(site); }

 private:
  disk::Disk& inner_;
  Pace& pace_;
};

}  // namespace tombolo::testing
