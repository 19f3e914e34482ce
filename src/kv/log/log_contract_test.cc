#include "kv/log/log_rig_test.h"

namespace tombolo::kv {
namespace {

INSTANTIATE_TEST_SUITE_P(LogOverMemory, EngineContract,
                         testing::Values(HarnessKind{"log_memory", [] { return std::make_unique<LogRig>(); }}),
                         harness_name);

}  // namespace
}  // namespace tombolo::kv
