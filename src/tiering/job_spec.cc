#include "tiering/job_spec.h"

#include "base/wire.h"

namespace tombolo::tiering {
namespace {

constexpr std::uint8_t kLayout = 1;

void write_container(WireWriter& out, const store::ContainerRef& container) {
  out.u8(kLayout);
  out.u64(container.tenant.value);
  out.text(container.account);
  out.text(container.container);
}

Result<store::ContainerRef> read_container(WireReader& in) {
  const std::uint8_t layout = in.u8();
  if (layout > kLayout) {
    return Error{Code::kUnsupported, "this job was submitted to a newer version of tombolo: upgrade this one"};
  }
  if (layout == 0) return Error{Code::kCorrupt, "the spec of a job has no layout"};
  store::ContainerRef container;
  container.tenant = TenantId{in.u64()};
  container.account = in.text();
  container.container = in.text();
  return container;
}

}  // namespace

std::string encode(const OffloadSpec& spec) {
  WireWriter out;
  write_container(out, spec.container);
  out.text(spec.prefix);
  out.text(spec.remote);
  out.u8(spec.evict == Evict::kYes ? 1 : 0);
  return std::move(out).take();
}

std::string encode(const RecallSpec& spec) {
  WireWriter out;
  write_container(out, spec.container);
  out.text(spec.prefix);
  return std::move(out).take();
}

Result<OffloadSpec> decode_offload(std::string_view value) {
  WireReader in(value);
  OffloadSpec spec;
  TRY_ASSIGN(spec.container, read_container(in));
  spec.prefix = in.text();
  spec.remote = in.text();
  const std::uint8_t evict = in.u8();
  spec.evict = evict != 0 ? Evict::kYes : Evict::kNo;
  TRY(in.finish("the spec of an offload"));
  if (evict > 1) return Error{Code::kCorrupt, "the spec of an offload: evict is neither 0 nor 1"};
  return spec;
}

Result<RecallSpec> decode_recall(std::string_view value) {
  WireReader in(value);
  RecallSpec spec;
  TRY_ASSIGN(spec.container, read_container(in));
  spec.prefix = in.text();
  TRY(in.finish("the spec of a recall"));
  return spec;
}

std::string title_of(const store::ContainerRef& container, const std::string& prefix) {
  return prefix.empty() ? container.container : container.container + "/" + prefix;
}

}  // namespace tombolo::tiering
