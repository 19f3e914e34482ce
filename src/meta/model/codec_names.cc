// Values of administration and of names.
#include "base/bytes.h"
#include "meta/model/codec.h"
#include "meta/model/codec_parts.h"

namespace tombolo::meta {

std::string encode(const Tenant& tenant) {
  ValueWriter out(1);
  out.text(tenant.name);
  out.stamp(tenant.created);
  return std::move(out).take();
}

Result<Tenant> decode_tenant(TenantId id, std::string_view value) {
  ValueReader in("tenant", 1, value);
  Tenant tenant{.id = id};
  tenant.name = in.text();
  tenant.created = in.stamp();
  TRY(in.finish());
  return tenant;
}

std::string encode(const Account& account) {
  ValueWriter out(1);
  out.u64(account.tenant.value);
  out.stamp(account.created);
  out.stamp(account.changed);
  out.text(account.sealed_keys);
  return std::move(out).take();
}

Result<Account> decode_account(std::string name, std::string_view value) {
  ValueReader in("account", 1, value);
  Account account{.name = std::move(name)};
  account.tenant = TenantId{in.u64()};
  account.created = in.stamp();
  account.changed = in.stamp();
  account.sealed_keys = in.text();
  TRY(in.finish());
  return account;
}

std::string encode(const ServiceProperties& properties) {
  ValueWriter out(1);
  out.stamp(properties.changed);
  out.text(properties.document);
  return std::move(out).take();
}

Result<ServiceProperties> decode_service_properties(std::string_view value) {
  ValueReader in("service properties", 1, value);
  ServiceProperties properties;
  properties.changed = in.stamp();
  properties.document = in.text();
  TRY(in.finish());
  return properties;
}

std::string encode(const RemoteConfig& remote) {
  ValueWriter out(1);
  out.u64(remote.tenant.value);
  out.text(remote.kind);
  out.text(remote.endpoint);
  out.text(remote.bucket);
  out.text(remote.prefix);
  out.stamp(remote.created);
  out.stamp(remote.changed);
  out.text(remote.sealed_secret);
  out.text(remote.options);
  return std::move(out).take();
}

Result<RemoteConfig> decode_remote(std::string name, std::string_view value) {
  ValueReader in("remote", 1, value);
  RemoteConfig remote{.name = std::move(name)};
  remote.tenant = TenantId{in.u64()};
  remote.kind = in.text();
  remote.endpoint = in.text();
  remote.bucket = in.text();
  remote.prefix = in.text();
  remote.created = in.stamp();
  remote.changed = in.stamp();
  remote.sealed_secret = in.text();
  remote.options = in.text();
  TRY(in.finish());
  return remote;
}

std::string encode(const ContainerKey& link) {
  ValueWriter out(1);
  out.u64(link.tenant.value);
  out.u64(link.id.value);
  return std::move(out).take();
}

Result<ContainerKey> decode_container_link(std::string_view value) {
  ValueReader in("container name", 1, value);
  ContainerKey link;
  link.tenant = TenantId{in.u64()};
  link.id = ContainerId{in.u64()};
  TRY(in.finish());
  return link;
}

std::string encode(const Container& container) {
  ValueWriter out(1);
  out.text(container.account);
  out.text(container.name);
  out.enumerated(container.mode);
  out.enumerated(container.state);
  out.stamp(container.created);
  out.stamp(container.etag_stamp);
  out.text(container.native_remote);
  out.metadata(container.metadata);
  return std::move(out).take();
}

Result<Container> decode_container(ContainerKey key, std::string_view value) {
  ValueReader in("container", 1, value);
  Container container{.tenant = key.tenant, .id = key.id};
  container.account = in.text();
  container.name = in.text();
  container.mode = in.enumerated(Mode::kHns);
  container.state = in.enumerated(ContainerState::kDeleting);
  container.created = in.stamp();
  container.etag_stamp = in.stamp();
  container.native_remote = in.text();
  container.metadata = in.metadata();
  TRY(in.finish());
  return container;
}

std::string encode(const Object& object) {
  ValueWriter out(1);
  out.u64(object.id.value);
  out.u64(object.holder.value);
  out.u64(object.gen.value);
  out.enumerated(object.kind);
  out.u64(object.length);
  out.u64(object.crc64);
  out.stamp(object.created);
  out.stamp(object.version_stamp);
  out.stamp(object.content_stamp);
  out.stamp(object.etag_stamp);
  out.u64(object.metageneration);
  const ObjectHeaders& headers = object.headers;
  out.u8(headers.content_md5 ? 1 : 0);
  if (headers.content_md5) out.raw(as_text(*headers.content_md5));
  out.text(headers.content_type);
  out.text(headers.content_encoding);
  out.text(headers.content_language);
  out.text(headers.content_disposition);
  out.text(headers.cache_control);
  out.metadata(object.metadata);
  return std::move(out).take();
}

Result<Object> decode_object(std::string name, std::string_view value) {
  ValueReader in("object", 1, value);
  Object object{.name = std::move(name)};
  object.id = ObjectId{in.u64()};
  object.holder = HolderId{in.u64()};
  object.gen = GenId{in.u64()};
  object.kind = in.enumerated(ObjectKind::kPage);
  object.length = in.u64();
  object.crc64 = in.u64();
  object.created = in.stamp();
  object.version_stamp = in.stamp();
  object.content_stamp = in.stamp();
  object.etag_stamp = in.stamp();
  object.metageneration = in.u64();
  ObjectHeaders& headers = object.headers;
  if (in.flag()) {
    headers.content_md5.emplace();
    const std::string_view raw = in.raw(headers.content_md5->size());
    if (!raw.empty()) std::memcpy(headers.content_md5->data(), raw.data(), raw.size());
  }
  headers.content_type = in.text();
  headers.content_encoding = in.text();
  headers.content_language = in.text();
  headers.content_disposition = in.text();
  headers.cache_control = in.text();
  object.metadata = in.metadata();
  TRY(in.finish());
  return object;
}

std::string encode(const UploadHead& head) {
  ValueWriter out(1);
  out.u64(head.id.value);
  out.enumerated(head.state);
  out.u32(head.block_id_length);
  out.stamp(head.created);
  out.stamp(head.touched);
  out.u64(head.seal_epoch);
  out.u64(head.seal_id);
  out.stamp(head.sealed_at);
  return std::move(out).take();
}

Result<UploadHead> decode_upload_head(std::string_view value) {
  ValueReader in("upload head", 1, value);
  UploadHead head;
  head.id = UploadId{in.u64()};
  head.state = in.enumerated(UploadState::kSealed);
  head.block_id_length = in.u32();
  head.created = in.stamp();
  head.touched = in.stamp();
  head.seal_epoch = in.u64();
  head.seal_id = in.u64();
  head.sealed_at = in.stamp();
  TRY(in.finish());
  return head;
}

std::string encode(const StagedBlockRow& block) {
  ValueWriter out(1);
  out.u64(block.gen.value);
  out.u64(block.length);
  out.u64(block.crc64);
  out.stamp(block.staged);
  return std::move(out).take();
}

Result<StagedBlockRow> decode_staged_block(std::string block_id, std::string_view value) {
  ValueReader in("staged block", 1, value);
  StagedBlockRow block{.block_id = std::move(block_id)};
  block.gen = GenId{in.u64()};
  block.length = in.u64();
  block.crc64 = in.u64();
  block.staged = in.stamp();
  TRY(in.finish());
  return block;
}

}  // namespace tombolo::meta
