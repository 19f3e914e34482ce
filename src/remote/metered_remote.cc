#include "remote/metered_remote.h"

namespace tombolo::remote {
namespace {

using observe::Metric;

using Failed = std::function<void(Code)>;

class MeteredSource final : public ByteSource {
 public:
  MeteredSource(std::unique_ptr<ByteSource> inner, observe::Counter& bytes, Failed failed = {})
      : inner_(std::move(inner)), bytes_(bytes), failed_(std::move(failed)) {}
  Task<Block> next() override {
    Result<Block> block = co_await inner_->next();
    if (block.ok()) bytes_.add(block->size());
    if (!block.ok() && failed_) failed_(block.error().code);
    co_return block;
  }

 private:
  const std::unique_ptr<ByteSource> inner_;
  observe::Counter& bytes_;
  const Failed failed_;
};

}  // namespace

MeteredRemote::MeteredRemote(std::shared_ptr<Remote> inner, observe::Metrics& metrics, Clock& clock)
    : inner_(std::move(inner)),
      metrics_(metrics),
      clock_(clock),
      put_(operation("put")),
      get_(operation("get")),
      head_(operation("head")),
      list_(operation("list")),
      remove_(operation("delete")),
      received_(metrics.counter(Metric::kRemoteReceived, {inner_->name()})),
      sent_(metrics.counter(Metric::kRemoteSent, {inner_->name()})) {
  // What an alert waits for: the increase of a series that begins at its first 1 is 0.
  for (const Code outcome : {Code::kChangedOutside, Code::kNotFound, Code::kCorrupt}) {
    static_cast<void>(metrics.counter(Metric::kRemoteRequests, {inner_->name(), get_.name, code_name(outcome)}));
  }
}

MeteredRemote::Operation MeteredRemote::operation(std::string_view name) const {
  return {name, metrics_.histogram(Metric::kRemoteSeconds, {inner_->name(), name})};
}

template <class T>
Task<T> MeteredRemote::counted(const Operation& operation, Task<T> task) {
  const SteadyTime start = clock_.steady();
  Result<T> result = co_await std::move(task);
  operation.seconds.observe_micros(static_cast<std::uint64_t>((clock_.steady() - start).count()));
  const std::string_view outcome = result.ok() ? std::string_view("ok") : code_name(result.error().code);
  metrics_.counter(Metric::kRemoteRequests, {inner_->name(), operation.name, outcome}).add();
  co_return result;
}

Task<RemoteObject> MeteredRemote::put(PutRequest request, BodyFactory body, CallSite site) {
  BodyFactory metered = [body = std::move(body), &sent = sent_](std::uint64_t offset, std::uint64_t length) {
    std::unique_ptr<ByteSource> made = std::make_unique<MeteredSource>(body(offset, length), sent);
    return made;
  };
  return counted(put_, inner_->put(std::move(request), std::move(metered), site));
}

Task<std::unique_ptr<ByteSource>> MeteredRemote::get(GetRequest request, CallSite site) {
  if (request.again) metrics_.counter(Metric::kRemoteUnverified, {inner_->name()}).add();
  Task<std::unique_ptr<ByteSource>> task = inner_->get(std::move(request), site);
  CO_TRY_ASSIGN(auto source, counted(get_, std::move(task)));
  // A get that began well may still break off, or find the object changed: it counts once more, as what it came to.
  Failed failed = [&metrics = metrics_, remote = inner_->name()](Code code) {
    metrics.counter(Metric::kRemoteRequests, {remote, "get", code_name(code)}).add();
  };
  std::unique_ptr<ByteSource> metered =
      std::make_unique<MeteredSource>(std::move(source), received_, std::move(failed));
  co_return metered;
}

Task<HeadResult> MeteredRemote::head(std::string key, CallSite site) {
  return counted(head_, inner_->head(std::move(key), site));
}

Task<ListPage> MeteredRemote::list(ListRequest request, CallSite site) {
  return counted(list_, inner_->list(std::move(request), site));
}

Task<void> MeteredRemote::remove(std::string key, Condition condition, CallSite site) {
  return counted(remove_, inner_->remove(std::move(key), std::move(condition), site));
}

}  // namespace tombolo::remote
