#include "tiering/job_spec.h"

#include <gtest/gtest.h>

namespace tombolo::tiering {
namespace {

// A row that says what no program wrote is damage, not a spec with a guess in it.
TEST(JobSpec, RefusesLayoutsAndFlagsThatWereNeverWritten) {
  OffloadSpec spec;
  spec.container = {.tenant = {7}, .account = "acct", .container = "photos"};
  spec.evict = Evict::kYes;
  std::string value = encode(spec);
  ASSERT_TRUE(decode_offload(value).ok());
  value.back() = 2;
  EXPECT_EQ(decode_offload(value).error().code, Code::kCorrupt);
  value.back() = 1;
  value.front() = 0;
  EXPECT_EQ(decode_offload(value).error().code, Code::kCorrupt);
  EXPECT_EQ(decode_recall(value).error().code, Code::kCorrupt);
  value.front() = 2;
  EXPECT_EQ(decode_offload(value).error().code, Code::kUnsupported);
}

}  // namespace
}  // namespace tombolo::tiering
