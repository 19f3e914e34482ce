#include "store/accounts.h"

#include <gtest/gtest.h>

#include "async/run.h"
#include "kv/memory/memory_engine.h"
#include "meta/keys/keys.h"
#include "store/segment_ledger.h"

namespace tombolo::store {
namespace {

/// Does something once, right behind the next snapshot.
class Interrupted final : public kv::Engine {
 public:
  explicit Interrupted(Clock& clock) : inner_(clock, {.fault = {}, .guard_of = meta::keys::guard_of}) {}
  kv::Capabilities capabilities() const override { return inner_.capabilities(); }
  std::unique_ptr<kv::Snapshot> snapshot() override {
    auto shown = inner_.snapshot();
    if (const auto hook = std::exchange(after_snapshot, nullptr)) hook();
    return shown;
  }
  std::unique_ptr<kv::Transaction> begin() override { return inner_.begin(); }
  Task<std::vector<kv::LogEntry>> read_log(kv::Sequence after, std::uint32_t limit) override {
    return inner_.read_log(after, limit);
  }
  kv::Sequence durable_through() const override { return inner_.durable_through(); }
  kv::Sequence committed() const override { return inner_.committed(); }
  std::function<void()> after_snapshot;

 private:
  kv::MemoryEngine inner_;
};

/// What a cell of rows alone is made of, on an engine.
struct Rows {
  Rows(kv::Engine& engine, Clock& clock) : stamper(engine, random, clock), ids(engine, random) {
    EXPECT_TRUE(run_to_end(stamper.recover()).ok());
    EXPECT_TRUE(run_to_end(ids.recover()).ok());
  }

  SeededRandom random{1};
  meta::Stamper stamper;
  meta::IdAllocator ids;
  SegmentLedger ledger;
  meta::HeldSeals seals;
};

TEST(Accounts, ARequestThatCameTooEarlyDoesNotHideTheNewAccount) {
  ManualClock clock;
  Interrupted engine(clock);
  Rows rows(engine, clock);
  const Bytes root_key(auth::Sealer::kRootKeyBytes);
  const auth::Sealer sealer(root_key, rows.random);
  Accounts accounts({engine, rows.random, clock, rows.stamper, rows.ids, rows.ledger, rows.seals}, sealer);
  engine.after_snapshot = [&] { EXPECT_TRUE(run_to_end(accounts.create("early")).ok()); };
  EXPECT_EQ(*run_to_end(accounts.find("early")), nullptr) << "as of before it was made";
  EXPECT_NE(*run_to_end(accounts.find("early")), nullptr);
}

TEST(Accounts, AnotherCellsRootKeyIsFoundOut) {
  ManualClock clock;
  kv::MemoryEngine engine(clock, {.fault = {}, .guard_of = meta::keys::guard_of});
  Rows rows(engine, clock);
  const meta::Cell cell{engine, rows.random, clock, rows.stamper, rows.ids, rows.ledger, rows.seals};
  const Bytes key(auth::Sealer::kRootKeyBytes, std::byte{1}), other_key(auth::Sealer::kRootKeyBytes, std::byte{2});
  const auth::Sealer sealer(key, rows.random), other_sealer(other_key, rows.random);
  Accounts accounts(cell, sealer), others(cell, other_sealer);
  EXPECT_TRUE(run_to_end(others.check_root_key()).ok()) << "nothing is sealed yet";
  ASSERT_TRUE(run_to_end(accounts.create("mystore")).ok());
  EXPECT_TRUE(run_to_end(accounts.check_root_key()).ok());
  const auto wrong = run_to_end(others.check_root_key());
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, Code::kCorrupt);
  EXPECT_NE(wrong.error().message.find("root.key"), std::string::npos);
  ASSERT_TRUE(run_to_end(others.create("lost")).ok());
  EXPECT_TRUE(run_to_end(accounts.check_root_key()).ok()) << "one damaged account stops no cell";
}

}  // namespace
}  // namespace tombolo::store
