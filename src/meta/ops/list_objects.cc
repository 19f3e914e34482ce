#include "meta/ops/list_objects.h"

#include <algorithm>

#include "base/planted_bugs.h"
#include "meta/ops/list_bytes.h"
#include "meta/ops/parts.h"
#include "meta/ops/row_cursor.h"

namespace tombolo::meta {
namespace {

// Behind every row of a name, in both tables, and before every longer name.
constexpr std::string_view kBehind("\0\x01", 2);
// Behind every name with a prefix: no name has this byte.
constexpr char kPast = '\xff';

using RowsOf = std::string (*)(ContainerKey, std::string_view);

/// Where a table is read from to find the names behind `start_after`.
std::string behind(RowsOf rows, ContainerKey container, std::string_view start_after) {
  if (start_after.empty()) return {};
  if (start_after.back() == kPast) {
    start_after.remove_suffix(1);
    return kv::prefix_end(rows(container, start_after));
  }
  return rows(container, start_after) + std::string(kBehind);
}

/// Where a table is read from to find the names that a query starts with.
std::string begin_of(RowsOf rows, ContainerKey container, const ObjectQuery& query) {
  std::string begin = behind(rows, container, query.start_after);
  return query.start_from.empty() ? begin : std::max(std::move(begin), rows(container, query.start_from));
}

/// The folded prefix of a name, empty where it is not folded.
std::string_view folded(std::string_view name, const ObjectQuery& query) {
  if (query.delimiter.empty()) return {};
  const std::size_t at = name.find(query.delimiter, query.prefix.size());
  return at == name.npos ? std::string_view{} : name.substr(0, at + query.delimiter.size());
}

std::size_t bytes_of(const ObjectEntry& entry) {
  if (!entry.object) return (entry.prefix ? *entry.prefix : *entry.uncommitted_name).size();
  const ObjectHeaders& headers = entry.object->headers;
  return entry.object->name.size() + headers.content_type.size() + headers.content_encoding.size() +
         headers.content_language.size() + headers.content_disposition.size() + headers.cache_control.size() +
         metadata_bytes(entry.object->metadata);
}

// What is at the front of the two tables.
struct Front {
  const kv::Row* object = nullptr;  // row o of `name`
  const kv::Row* head = nullptr;    // row U of `name`
  std::string name;
};

Task<std::optional<Front>> front_of(RowCursor& objects, RowCursor* heads) {
  CO_TRY_ASSIGN(const kv::Row* object, objects.peek());
  const kv::Row* head = nullptr;
  if (heads != nullptr) {
    CO_TRY_ASSIGN(head, heads->peek());
  }
  if (object == nullptr && head == nullptr) co_return std::optional<Front>{};
  Front front;
  if (object != nullptr) {
    CO_CHECK_ASSIGN(front.name, keys::name_of_object(object->key));
    front.object = object;
  }
  if (head != nullptr) {
    CO_CHECK_ASSIGN(keys::UploadHeadName named, keys::name_of_upload_head(head->key));
    if (object == nullptr || named.name < front.name) {
      front.object = nullptr;
      front.head = head;
      front.name = std::move(named.name);
    } else if (named.name == front.name) {
      front.head = head;
    }
  }
  co_return std::optional<Front>(std::move(front));
}

}  // namespace

Task<ObjectPage> list_objects(Cell cell, ContainerKey container, ObjectQuery query) {
  const std::uint32_t limit = std::clamp<std::uint32_t>(query.limit, 1, 5'000);
  const auto snapshot = cell.engine.snapshot();
  if (query.of == ListOf::kLiveContainer) {
    CO_TRY(read_live_container(*snapshot, container));
  }
  RowCursor objects(*snapshot, keys::objects(container, query.prefix), begin_of(keys::objects, container, query));
  RowCursor heads_cursor(*snapshot, keys::upload_heads(container, query.prefix),
                         begin_of(keys::upload_heads, container, query));
  RowCursor* const heads = query.include == ListInclude::kUncommitted ? &heads_cursor : nullptr;

  ObjectPage page;
  std::string next;  // behind the last entry
  std::size_t bytes = 0;
  while (true) {
    CO_TRY_ASSIGN(auto front, front_of(objects, heads));
    if (!front) co_return page;
    if (front->object == nullptr) {
      CO_CHECK_ASSIGN(const UploadHead head, decode_upload_head(front->head->value));
      if (head.block_id_length == 0) {  // a commit holds the name; nothing was staged
        heads->advance();
        continue;
      }
    }
    if (page.entries.size() == limit || bytes >= kListBytesMax) {
      if (planted(PlantedBug::short_listing)) co_return page;
      page.next = std::move(next);
      co_return page;
    }
    ObjectEntry entry;
    if (const std::string_view prefix = folded(front->name, query); !prefix.empty()) {
      objects.skip_to(kv::prefix_end(keys::objects(container, prefix)));
      if (heads != nullptr) heads->skip_to(kv::prefix_end(keys::upload_heads(container, prefix)));
      next = std::string(prefix) + kPast;
      entry.prefix = std::string(prefix);
    } else {
      next = front->name;
      if (front->object != nullptr) {
        CO_CHECK_ASSIGN(entry.object, decode_object(front->name, front->object->value));
        objects.advance();
      } else {
        entry.uncommitted_name = front->name;
      }
      if (front->head != nullptr) heads->skip_to(keys::upload_heads(container, next) + std::string(kBehind));
    }
    bytes += bytes_of(entry);
    page.entries.push_back(std::move(entry));
  }
}

}  // namespace tombolo::meta
